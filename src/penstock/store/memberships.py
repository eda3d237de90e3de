"""What people are in organizations."""

from functools import cache
from typing import Any

import msgspec
from sqlalchemy import Executable, Select, bindparam, delete, select

from penstock.model.access import Membership, Role, User
from penstock.store import rows
from penstock.store.database import Transaction
from penstock.store.schema import memberships, users
from penstock.store.upserts import insert_into


class Member(msgspec.Struct, frozen=True):
    """Somebody and what they are in an organization."""

    user: User
    role: Role


def set_member(tx: Transaction, membership: Membership) -> None:
    """The user has that role in the organization; one who had another keeps the time of joining."""
    tx.execute(_upsert(tx.dialect.name), rows.values_of(membership))


def remove_member(tx: Transaction, user_id: int, organization_id: int) -> bool:
    """True when the user was a member; they are not afterwards."""
    mine = (memberships.c.user_id == user_id, memberships.c.organization_id == organization_id)
    return tx.execute(delete(memberships).where(*mine)).rowcount == 1


def roles_of(tx: Transaction, user_id: int) -> dict[int, Role]:
    """What the user is, by the row ids of organizations."""
    return {row_id: Role(role) for row_id, role in tx.execute(_select_roles(), {"user": user_id})}


def role_in(tx: Transaction, user_id: int, organization_id: int) -> Role | None:
    """What the user is in the organization, None when no member."""
    statement = select(memberships.c.role).where(
        memberships.c.user_id == user_id, memberships.c.organization_id == organization_id
    )
    found = tx.execute(statement).scalar_one_or_none()
    return None if found is None else Role(found)


def members_of(tx: Transaction, organization_id: int, *, after: int = 0, limit: int = 100) -> list[Member]:
    """The organization's members by the age of their accounts, those with an id above `after`."""
    page = _select_members().where(users.c.id > after).limit(limit)
    width = len(User.__struct_fields__)
    return [
        Member(rows.build(User, row[:width]), Role(row[width]))
        for row in tx.execute(page, {"organization": organization_id})
    ]


def has_owner_beside(tx: Transaction, organization_id: int, user_id: int) -> bool:
    """True when somebody other than the user owns the organization."""
    table = memberships.c
    chosen = select(table.user_id).where(
        table.organization_id == organization_id, table.role == Role.OWNER, table.user_id != user_id
    )
    return tx.execute(chosen.limit(1)).first() is not None


@cache
def _upsert(dialect: str) -> Executable:
    statement = insert_into(dialect, memberships)
    return statement.on_conflict_do_update(
        index_elements=["user_id", "organization_id"], set_={"role": statement.excluded.role}
    )


@cache
def _select_roles() -> Executable:
    chosen = select(memberships.c.organization_id, memberships.c.role)
    return chosen.where(memberships.c.user_id == bindparam("user"))


@cache
def _select_members() -> Select[Any]:
    chosen = select(*rows.columns_of(users, User), memberships.c.role)
    joined = chosen.join(memberships, memberships.c.user_id == users.c.id)
    return joined.where(memberships.c.organization_id == bindparam("organization")).order_by(users.c.id)
