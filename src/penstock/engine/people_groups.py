"""Groups of people in an organization: made, filled, emptied and deleted by its administrators.

A context that is for a group which is deleted is for nobody else afterwards: its restriction stays.
"""

from collections.abc import Callable
from typing import TypeVar

from penstock.engine.access import Action, require
from penstock.engine.audit import note
from penstock.engine.organizations import change_organization
from penstock.engine.principal import Principal
from penstock.engine.unit import Parts, Unit
from penstock.kit.ids import is_id
from penstock.model.access import User
from penstock.model.errors import (
    ConflictError,
    InvalidError,
    LimitExceededError,
    NotFoundError,
    RefusedError,
)
from penstock.model.project import Organization
from penstock.store import memberships, people_groups, users
from penstock.store.database import Transaction
from penstock.store.people_groups import PeopleGroup

T = TypeVar("T")

MOST_GROUPS = 500
MOST_NAME = 200
MOST_DESCRIPTION = 2000


def create_group(
    parts: Parts, by: Principal, owner: Organization, name: str, description: str = ""
) -> PeopleGroup:
    """A new group that nobody is in.

    Raises ForbiddenError, InvalidError for the name or description, ConflictError when the name is taken,
    LimitExceededError past `MOST_GROUPS`.
    """
    if not (name.strip() and len(name) <= MOST_NAME):
        raise InvalidError(f"a group has a name of up to {MOST_NAME} characters")
    if len(description) > MOST_DESCRIPTION:
        raise InvalidError(f"a group has a description of up to {MOST_DESCRIPTION} characters")

    def work(unit: Unit, found: Organization) -> PeopleGroup:
        if people_groups.count_groups(unit.tx, found.id) >= MOST_GROUPS:
            raise LimitExceededError(f"an organization may have {MOST_GROUPS} groups")
        made = people_groups.create_group(unit.tx, found.id, name, description, now=unit.now)
        if made is None:
            raise ConflictError(f"there is a group {name} already")
        note(unit, by, "group.create", made.uuid, organization=found, name=name)
        return made

    return change_organization(parts, by, Action.CHANGE_MEMBERS, owner, work)


def list_groups(
    tx: Transaction, by: Principal, owner: Organization, *, after: int = 0, limit: int = 100
) -> list[PeopleGroup]:
    """The organization's groups, oldest first, those with an id above `after`. Raises ForbiddenError."""
    require(by, Action.SEE_MEMBERS, owner)
    return people_groups.list_groups(tx, owner.id, after=after, limit=limit)


def count_groups(tx: Transaction, by: Principal, owner: Organization) -> int:
    """How many groups the organization has. Raises ForbiddenError."""
    require(by, Action.SEE_MEMBERS, owner)
    return people_groups.count_groups(tx, owner.id)


def open_group(tx: Transaction, by: Principal, owner: Organization, named: str) -> PeopleGroup:
    """The organization's group of that id or name. Raises ForbiddenError, NotFoundError."""
    require(by, Action.SEE_MEMBERS, owner)
    return _find(tx, owner, named)


def list_group_members(
    tx: Transaction, by: Principal, owner: Organization, named: str, *, after: int = 0, limit: int = 100
) -> list[User]:
    """Who is in the group, oldest accounts first, those with an id above `after`; raises as `open_group`."""
    group = open_group(tx, by, owner, named)
    return people_groups.members_of(tx, group.id, after=after, limit=limit)


def delete_group(parts: Parts, by: Principal, owner: Organization, named: str) -> None:
    """The group is gone. Raises ForbiddenError, NotFoundError."""

    def work(unit: Unit, found: Organization, group: PeopleGroup) -> None:
        people_groups.delete_group(unit.tx, group.id)
        note(unit, by, "group.delete", group.uuid, organization=found, name=group.name)

    _change_group(parts, by, owner, named, work)


def add_group_member(parts: Parts, by: Principal, owner: Organization, named: str, user_uuid: str) -> User:
    """The user is in the group, once; they must belong to the organization.

    Raises ForbiddenError, NotFoundError, RefusedError for somebody from outside.
    """

    def work(unit: Unit, found: Organization, group: PeopleGroup) -> User:
        user = users.user_by_uuid(unit.tx, user_uuid)
        if user is None:
            raise NotFoundError("User not found.")
        if memberships.role_in(unit.tx, user.id, found.id) is None:
            raise RefusedError(f"{user.login} does not belong to {found.slug}, so to no group of it")
        if people_groups.add_member(unit.tx, group, user.id, now=unit.now):
            note(unit, by, "group.add", user.uuid, organization=found, group=group.name, login=user.login)
        return user

    return _change_group(parts, by, owner, named, work)


def remove_group_member(parts: Parts, by: Principal, owner: Organization, named: str, user_uuid: str) -> None:
    """The user is not in the group. Raises ForbiddenError, NotFoundError, also for one who was not."""

    def work(unit: Unit, found: Organization, group: PeopleGroup) -> None:
        user = users.user_by_uuid(unit.tx, user_uuid)
        if user is None or not people_groups.remove_member(unit.tx, group.id, user.id):
            raise NotFoundError("User not found.")
        note(unit, by, "group.remove", user.uuid, organization=found, group=group.name, login=user.login)

    _change_group(parts, by, owner, named, work)


def _change_group(
    parts: Parts,
    by: Principal,
    owner: Organization,
    named: str,
    work: Callable[[Unit, Organization, PeopleGroup], T],
) -> T:
    def opened(unit: Unit, found: Organization) -> T:
        return work(unit, found, _find(unit.tx, found, named))

    return change_organization(parts, by, Action.CHANGE_MEMBERS, owner, opened)


def _find(tx: Transaction, owner: Organization, named: str) -> PeopleGroup:
    group = (
        people_groups.group_by_uuid(tx, named.lower())
        if is_id(named)
        else people_groups.find_group(tx, owner.id, named)
    )
    if group is None or group.organization_id != owner.id:
        raise NotFoundError("Group not found.")
    return group
