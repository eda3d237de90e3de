"""Organizations: made, renamed and left; and who belongs to them."""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from penstock.engine.access import Action, require, seen_organizations
from penstock.engine.audit import note
from penstock.engine.principal import Principal
from penstock.engine.transact import transact
from penstock.engine.unit import Parts, Unit
from penstock.kit.ids import new_id
from penstock.kit.short_ids import shorten_id
from penstock.model.access import Membership, Role, User
from penstock.model.errors import ConflictError, InvalidError, NotFoundError, RefusedError
from penstock.model.project import Organization
from penstock.model.settings import OrganizationSettings, change_settings, read_settings
from penstock.model.slug import STANDALONE, BySlug, check_name, host_of, parse_organization
from penstock.store import memberships, projects, removal, users
from penstock.store.database import Transaction
from penstock.store.memberships import Member

T = TypeVar("T")


def create_organization(parts: Parts, by: Principal, *, host: str, name: str) -> Organization:
    """A new organization, owned by the one who asks. Its slug is `host/name`; on no host it has an id for it.

    Raises ForbiddenError, InvalidError for a name that fits into no slug, ConflictError when it is taken.
    """
    require(by, Action.CREATE_ORGANIZATION)
    uuid = new_id()
    record = Organization(id=0, uuid=uuid, slug=_make_slug(host, name, uuid), name=name)

    def work(unit: Unit) -> Organization:
        made = projects.add_organization(unit.tx, record, now=unit.now)
        if made is None:
            raise ConflictError(f"there is an organization {record.slug} already")
        if by.user.id:
            owner = Membership(
                user_id=by.user.id, organization_id=made.id, role=Role.OWNER, created_at=unit.now
            )
            memberships.set_member(unit.tx, owner)
        note(unit, by, "organization.create", made.uuid, organization=made, slug=made.slug)
        unit.afterwards.append(parts.memory.principals.forget)
        return made

    return transact(parts, work)


def list_organizations(
    tx: Transaction, by: Principal, *, after: str = "", limit: int = 100
) -> list[Organization]:
    """The organizations the principal sees, by slug, those that come after the given one."""
    return projects.list_organizations(tx, ids=seen_organizations(by), after=after, limit=limit)


def rename_organization(parts: Parts, by: Principal, organization: Organization, name: str) -> Organization:
    """The organization is called so, and on a git host its projects' slugs change with it.

    Raises as `create_organization` does.
    """
    slug = organization.slug
    if host_of(slug) != STANDALONE:
        slug = _make_slug(host_of(slug), name, organization.uuid)

    def work(unit: Unit, found: Organization) -> Organization:
        if slug != found.slug and projects.find_organization(unit.tx, slug) is not None:
            raise ConflictError(f"there is an organization {slug} already")
        projects.rename_organization(unit.tx, found, slug=slug, name=name)
        note(unit, by, "organization.rename", found.uuid, organization=found, old=found.slug, new=slug)
        return msgspec.structs.replace(found, slug=slug, name=name)

    return change_organization(parts, by, Action.CHANGE_ORGANIZATION, organization, work)


def delete_organization(parts: Parts, by: Principal, organization: Organization) -> None:
    """Nobody finds the organization or its projects any more; `engine.removal.sweep` takes them apart."""

    def work(unit: Unit, found: Organization) -> None:
        removal.mark_organization(unit.tx, found.id, now=unit.now)
        note(unit, by, "organization.delete", found.uuid, organization=found, slug=found.slug)

    change_organization(parts, by, Action.DELETE_ORGANIZATION, organization, work)


def set_member(parts: Parts, by: Principal, organization: Organization, user_uuid: str, role: Role) -> User:
    """The user has that role there.

    Raises ForbiddenError, also when somebody who is no owner speaks of owners, NotFoundError for a user who
    does not exist, RefusedError when the organization would have no owner.
    """

    def work(unit: Unit, found: Organization) -> User:
        user = users.user_by_uuid(unit.tx, user_uuid)
        if user is None:
            raise NotFoundError("User not found.")
        _guard_owners(unit, by, found, user, role)
        membership = Membership(user_id=user.id, organization_id=found.id, role=role, created_at=unit.now)
        memberships.set_member(unit.tx, membership)
        note(unit, by, "member.set", user.uuid, organization=found, login=user.login, role=role.value)
        unit.afterwards.append(parts.memory.principals.forget)
        return user

    return change_organization(parts, by, Action.CHANGE_MEMBERS, organization, work)


def remove_member(parts: Parts, by: Principal, organization: Organization, user_uuid: str) -> None:
    """The user is no member there. Everybody may leave. Raises as `set_member` does."""
    action = Action.LEAVE_ORGANIZATION if by.user.uuid == user_uuid else Action.CHANGE_MEMBERS

    def work(unit: Unit, found: Organization) -> None:
        user = users.user_by_uuid(unit.tx, user_uuid)
        if user is None or memberships.role_in(unit.tx, user.id, found.id) is None:
            raise NotFoundError("User not found.")
        _guard_owners(unit, by, found, user, None)
        memberships.remove_member(unit.tx, user.id, found.id)
        note(unit, by, "member.remove", user.uuid, organization=found, login=user.login)
        unit.afterwards.append(parts.memory.principals.forget)

    change_organization(parts, by, action, organization, work)


def list_members(
    tx: Transaction, by: Principal, organization: Organization, *, after: int = 0, limit: int = 100
) -> list[Member]:
    """The members, oldest accounts first, those with an id above `after`. Raises ForbiddenError."""
    require(by, Action.SEE_MEMBERS, organization)
    return memberships.members_of(tx, organization.id, after=after, limit=limit)


def load_organization_settings(tx: Transaction, organization_id: int) -> OrganizationSettings:
    """The organization's settings."""
    return read_settings(OrganizationSettings, projects.load_organization_settings(tx, organization_id))


def change_organization_settings(
    parts: Parts, by: Principal, organization: Organization, changes: dict[str, Any]
) -> OrganizationSettings:
    """The settings, changed by name. Raises ForbiddenError, InvalidError for a wrong name or value."""

    def work(unit: Unit, found: Organization) -> OrganizationSettings:
        changed = change_settings(load_organization_settings(unit.tx, found.id), changes)
        projects.save_organization_settings(unit.tx, found.id, msgspec.to_builtins(changed))
        note(unit, by, "organization.settings", found.uuid, organization=found, changes=changes)
        return changed

    return change_organization(parts, by, Action.CHANGE_ORGANIZATION, organization, work)


def change_organization(
    parts: Parts,
    by: Principal,
    action: Action,
    organization: Organization,
    work: Callable[[Unit, Organization], T],
) -> T:
    """What `work` returned, which changed the organization alone: others that do wait for this one.

    Raises as `access.require` does, and NotFoundError for one that was deleted meanwhile.
    """
    require(by, action, organization)

    def locked(unit: Unit) -> T:
        found = projects.lock_organization(unit.tx, organization.id)
        if found is None or removal.is_marked(found):
            raise NotFoundError("Organization not found.")
        unit.catch_up()
        return work(unit, found)

    return transact(parts, locked)


def _guard_owners(unit: Unit, by: Principal, found: Organization, user: User, role: Role | None) -> None:
    """Return when the user may get that role: owners are a matter of owners, and one must be left."""
    present = memberships.role_in(unit.tx, user.id, found.id)
    if Role.OWNER not in {present, role}:
        return
    if by.user.id != user.id or role is not None:
        require(by, Action.CHANGE_OWNERS, found)
    last = present is Role.OWNER and not memberships.has_owner_beside(unit.tx, found.id, user.id)
    if last and role is not Role.OWNER:
        raise RefusedError("an organization must have an owner: name another one first")


def _make_slug(host: str, name: str, uuid: str) -> str:
    """The slug of an organization. Raises InvalidError for a host or name that fits into none."""
    if host == STANDALONE:
        if not 0 < len(name) <= 200:  # noqa: PLR2004 - said in the message
            raise InvalidError("a name may have up to 200 characters")
        return f"{STANDALONE}/{shorten_id(uuid)}"
    for part in name.split("/"):
        check_name(part)
    named = parse_organization(f"{host}/{name}")
    if not isinstance(named, BySlug):
        raise InvalidError("an organization slug has the form vcs-slug/org-name")
    return named.slug
