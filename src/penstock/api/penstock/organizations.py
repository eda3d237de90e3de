"""Organizations, who belongs to them, and what was done in them."""

from penstock.api.common.call import Call
from penstock.api.common.caller import principal_of
from penstock.api.common.server import Server
from penstock.api.penstock.paging import Page, cut_page, read_number
from penstock.api.penstock.payloads import (
    AuditView,
    MemberChange,
    MemberView,
    NewOrganization,
    OrganizationChange,
    OrganizationView,
)
from penstock.api.penstock.people import find_user
from penstock.engine import organizations
from penstock.engine.access import Action, role_in
from penstock.engine.audit import list_audit
from penstock.engine.lookup import open_organization
from penstock.engine.principal import Principal
from penstock.model.access import Role, User
from penstock.model.audit import AuditEntry
from penstock.model.errors import InvalidError
from penstock.model.project import Organization
from penstock.model.slug import STANDALONE
from penstock.store.database import Transaction


def list_every(server: Server, call: Call) -> Page[OrganizationView]:
    """The organizations the caller sees, by slug."""
    by, query = principal_of(call), call.query
    with server.parts.db.read() as tx:
        found = organizations.list_organizations(tx, by, after=query.after, limit=query.limit + 1)
        kept, after = cut_page(found, query.limit, lambda each: each.slug)
        return Page([_show(tx, by, each) for each in kept], after)


def create(server: Server, call: Call) -> OrganizationView:
    """Make an organization; whoever does so owns it."""
    by, body = principal_of(call), call.payload
    host, name = _read_slug(body)
    made = organizations.create_organization(server.parts, by, host=host, name=name)
    with server.parts.db.read() as tx:
        return _show(tx, by, made)


def get(server: Server, call: Call) -> OrganizationView:
    """An organization by slug or id."""
    with server.parts.db.read() as tx:
        return _show(tx, principal_of(call), _open(tx, call, Action.SEE_ORGANIZATION))


def change(server: Server, call: Call) -> OrganizationView:
    """Change an organization's name or settings."""
    by = principal_of(call)
    body: OrganizationChange = call.payload
    with server.parts.db.read() as tx:
        found = _open(tx, call, Action.CHANGE_ORGANIZATION)
    if body.settings:
        organizations.change_organization_settings(server.parts, by, found, body.settings)
    if body.name:
        found = organizations.rename_organization(server.parts, by, found, body.name)
    with server.parts.db.read() as tx:
        return _show(tx, by, found)


def delete(server: Server, call: Call) -> None:
    """Delete an organization with all its projects."""
    with server.parts.db.read() as tx:
        found = _open(tx, call, Action.DELETE_ORGANIZATION)
    organizations.delete_organization(server.parts, principal_of(call), found)


def list_members(server: Server, call: Call) -> Page[MemberView]:
    """The members of an organization and their roles, oldest accounts first."""
    by, query = principal_of(call), call.query
    with server.parts.db.read() as tx:
        owner = _open(tx, call, Action.SEE_MEMBERS)
        after = read_number(query.after)
        found = organizations.list_members(tx, by, owner, after=after, limit=query.limit + 1)
    kept, next_after = cut_page(found, query.limit, lambda member: member.user.id)
    return Page([_show_member(member.user, member.role) for member in kept], next_after)


def set_member(server: Server, call: Call) -> MemberView:
    """Give somebody a role in an organization."""
    by = principal_of(call)
    body: MemberChange = call.payload
    with server.parts.db.read() as tx:
        owner = _open(tx, call, Action.CHANGE_MEMBERS)
        user = find_user(tx, by, call.params["user"])
    organizations.set_member(server.parts, by, owner, user.uuid, body.role)
    return _show_member(user, body.role)


def remove_member(server: Server, call: Call) -> None:
    """Take somebody out of an organization; everybody may leave."""
    by = principal_of(call)
    with server.parts.db.read() as tx:
        owner = _open(tx, call, Action.LEAVE_ORGANIZATION)
        user = find_user(tx, by, call.params["user"])
    organizations.remove_member(server.parts, by, owner, user.uuid)


def list_acts(server: Server, call: Call) -> Page[AuditView]:
    """What was done in an organization, newest first."""
    with server.parts.db.read() as tx:
        return _show_acts(tx, call, _open(tx, call, Action.SEE_AUDIT))


def list_all_acts(server: Server, call: Call) -> Page[AuditView]:
    """What was done on this server, newest first."""
    with server.parts.db.read() as tx:
        return _show_acts(tx, call, None)


def _show_acts(tx: Transaction, call: Call, owner: Organization | None) -> Page[AuditView]:
    query = call.query
    before = read_number(query.after) or None
    found = list_audit(tx, principal_of(call), owner, before=before, limit=query.limit + 1)
    kept, after = cut_page(found, query.limit, lambda entry: entry.id)
    return Page([_show_act(entry) for entry in kept], after)


def _show_act(entry: AuditEntry) -> AuditView:
    return AuditView(
        at=entry.at,
        actor=entry.actor,
        action=entry.action,
        subject=entry.subject,
        organization=entry.organization,
        details=entry.details,
    )


def _show(tx: Transaction, by: Principal, owner: Organization) -> OrganizationView:
    return OrganizationView(
        id=owner.uuid,
        slug=owner.slug,
        name=owner.name,
        role=role_in(by, owner),
        settings=organizations.load_organization_settings(tx, owner.id),
    )


def _show_member(user: User, role: Role) -> MemberView:
    return MemberView(id=user.uuid, login=user.login, name=user.name, role=role)


def _read_slug(body: NewOrganization) -> tuple[str, str]:
    """The host and the name of the organization that is wanted. Raises InvalidError."""
    if bool(body.slug) == bool(body.name):
        raise InvalidError("give the slug of an organization on a git host, or the name of one on none")
    if body.name:
        return STANDALONE, body.name
    host, _, name = body.slug.partition("/")
    if not name:
        raise InvalidError(f"{body.slug} is no slug: gh/acme is one")
    return host, name


def _open(tx: Transaction, call: Call, action: Action) -> Organization:
    return open_organization(tx, principal_of(call), action, call.params["organization"])
