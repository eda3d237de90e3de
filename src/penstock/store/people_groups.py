"""Groups of people in an organization, and who is in them: only its members can be."""

from collections.abc import Collection
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import Select, bindparam, delete, func, select

from penstock.kit.ids import new_id
from penstock.model.access import User
from penstock.store import rows
from penstock.store.database import Transaction
from penstock.store.schema import people_group_members, people_groups, users
from penstock.store.upserts import insert_into


class PeopleGroup(msgspec.Struct, frozen=True, kw_only=True):
    """A group of people."""

    id: int
    uuid: str
    organization_id: int
    name: str
    description: str
    created_at: int


def create_group(
    tx: Transaction, organization_id: int, name: str, description: str, *, now: int
) -> PeopleGroup | None:
    """A new group without members; None when the organization has one of that name."""
    made = PeopleGroup(
        id=0,
        uuid=new_id(),
        organization_id=organization_id,
        name=name,
        description=description,
        created_at=now,
    )
    statement = insert_into(tx.dialect.name, people_groups).on_conflict_do_nothing(
        index_elements=["organization_id", "name"]
    )
    row_id = tx.execute(statement.returning(people_groups.c.id), rows.values_of(made)).scalar_one_or_none()
    return None if row_id is None else msgspec.structs.replace(made, id=row_id)


def group_by_uuid(tx: Transaction, uuid: str) -> PeopleGroup | None:
    """The group of that UUID, of whatever organization."""
    return rows.fetch_one(tx, PeopleGroup, _select_by("uuid"), {"uuid": uuid})


def find_group(tx: Transaction, organization_id: int, name: str) -> PeopleGroup | None:
    """The organization's group of that name."""
    values = {"organization_id": organization_id, "name": name}
    return rows.fetch_one(tx, PeopleGroup, _select_by("organization_id", "name"), values)


def list_groups(
    tx: Transaction, organization_id: int, *, after: int = 0, limit: int = 1000
) -> list[PeopleGroup]:
    """The organization's groups, oldest first, those with an id above `after`."""
    page = _select_by("organization_id").where(people_groups.c.id > after)
    page = page.order_by(people_groups.c.id).limit(limit)
    return rows.fetch_all(tx, PeopleGroup, page, {"organization_id": organization_id})


def count_groups(tx: Transaction, organization_id: int) -> int:
    """How many groups the organization has."""
    mine = people_groups.c.organization_id == organization_id
    return int(tx.execute(select(func.count()).select_from(people_groups).where(mine)).scalar_one())


def name_groups(tx: Transaction, organization_id: int, uuids: Collection[str]) -> dict[str, str]:
    """The names of these groups of the organization by UUID; those that are gone are left out."""
    if not uuids:
        return {}
    chosen = select(people_groups.c.uuid, people_groups.c.name)
    mine = people_groups.c.organization_id == organization_id
    found = tx.execute(chosen.where(mine, people_groups.c.uuid.in_(sorted(uuids))))
    return {str(uuid): str(name) for uuid, name in found}


def delete_group(tx: Transaction, group_id: int) -> None:
    """The group is gone; nobody is in it."""
    tx.execute(delete(people_groups).where(people_groups.c.id == group_id))


def add_member(tx: Transaction, group: PeopleGroup, user_id: int, *, now: int) -> bool:
    """True when the user was not in the group; they are afterwards. They must belong to the organization."""
    statement = insert_into(tx.dialect.name, people_group_members).on_conflict_do_nothing(
        index_elements=["group_id", "user_id"]
    )
    values = {
        "group_id": group.id,
        "user_id": user_id,
        "organization_id": group.organization_id,
        "created_at": now,
    }
    returned = statement.returning(people_group_members.c.user_id)
    return tx.execute(returned, values).first() is not None


def remove_member(tx: Transaction, group_id: int, user_id: int) -> bool:
    """True when the user was in the group; they are not afterwards."""
    mine = (people_group_members.c.group_id == group_id, people_group_members.c.user_id == user_id)
    return tx.execute(delete(people_group_members).where(*mine)).rowcount == 1


def members_of(tx: Transaction, group_id: int, *, after: int = 0, limit: int = 100) -> list[User]:
    """Who is in the group, oldest accounts first, those with an id above `after`."""
    joined = select(*rows.columns_of(users, User)).join_from(
        users, people_group_members, people_group_members.c.user_id == users.c.id
    )
    page = joined.where(people_group_members.c.group_id == group_id, users.c.id > after)
    return rows.fetch_all(tx, User, page.order_by(users.c.id).limit(limit), {})


def is_in_any(tx: Transaction, user_id: int, organization_id: int, uuids: Collection[str]) -> bool:
    """True when the user is in one of these groups of the organization."""
    values = {"user": user_id, "organization": organization_id, "uuids": sorted(uuids)}
    return bool(uuids) and tx.execute(_select_membership(), values).first() is not None


@cache
def _select_membership() -> Select[Any]:
    joined = select(people_groups.c.id).join_from(
        people_groups, people_group_members, people_group_members.c.group_id == people_groups.c.id
    )
    mine = joined.where(
        people_group_members.c.user_id == bindparam("user"),
        people_group_members.c.organization_id == bindparam("organization"),
        people_groups.c.organization_id == bindparam("organization"),
        people_groups.c.uuid.in_(bindparam("uuids", expanding=True)),
    )
    return mine.limit(1)


@cache
def _select_by(*by: str) -> Select[Any]:
    conditions = (people_groups.c[name] == bindparam(name) for name in by)
    return select(*rows.columns_of(people_groups, PeopleGroup)).where(*conditions)
