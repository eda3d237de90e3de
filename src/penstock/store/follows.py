"""Which projects people follow."""

from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, delete, select

from penstock.model.project import Project
from penstock.store import rows
from penstock.store.database import Transaction
from penstock.store.schema import follows, projects
from penstock.store.upserts import insert_into


def follow_project(tx: Transaction, user_id: int, project_id: int, *, now: int) -> bool:
    """The user follows the project; True when they did not before."""
    statement = insert_into(tx.dialect.name, follows).on_conflict_do_nothing()
    values = {"user_id": user_id, "project_id": project_id, "created_at": now}
    return tx.execute(statement.returning(follows.c.user_id), values).first() is not None


def unfollow_project(tx: Transaction, user_id: int, project_id: int) -> bool:
    """The user does not follow the project; True when they did before."""
    mine = (follows.c.user_id == user_id, follows.c.project_id == project_id)
    return tx.execute(delete(follows).where(*mine)).rowcount == 1


def followed_projects(tx: Transaction, user_id: int, *, after: int = 0, limit: int = 100) -> list[Project]:
    """The projects the user follows, oldest first, those with an id above `after`."""
    page = _select_followed().where(follows.c.project_id > after).limit(limit)
    return rows.fetch_all(tx, Project, page, {"user": user_id})


@cache
def _select_followed() -> Select[Any]:
    chosen = select(*rows.columns_of(projects, Project)).join(follows, follows.c.project_id == projects.c.id)
    mine = chosen.where(follows.c.user_id == bindparam("user"), projects.c.deleted_at.is_(None))
    return mine.order_by(follows.c.project_id)
