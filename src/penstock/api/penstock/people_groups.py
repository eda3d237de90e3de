"""Who is in the groups of an organization; the groups themselves are made over CircleCI's API."""

from penstock.api.common.call import Call
from penstock.api.common.caller import principal_of
from penstock.api.common.server import Server
from penstock.api.penstock.paging import Page, cut_page, read_number
from penstock.api.penstock.payloads import PersonView
from penstock.api.penstock.people import find_user
from penstock.engine import people_groups
from penstock.engine.access import Action
from penstock.engine.lookup import open_organization
from penstock.model.access import User
from penstock.model.project import Organization
from penstock.store.database import Transaction


def list_members(server: Server, call: Call) -> Page[PersonView]:
    """The people in a group of an organization, oldest accounts first."""
    by, query = principal_of(call), call.query
    with server.parts.db.read() as tx:
        owner = _open(tx, call, Action.SEE_MEMBERS)
        after, group = read_number(query.after), call.params["people"]
        found = people_groups.list_group_members(tx, by, owner, group, after=after, limit=query.limit + 1)
    kept, next_after = cut_page(found, query.limit, lambda user: user.id)
    return Page([_show(user) for user in kept], next_after)


def add_member(server: Server, call: Call) -> PersonView:
    """Put a member of an organization into a group of it."""
    owner, user = _find(server, call)
    group = call.params["people"]
    return _show(people_groups.add_group_member(server.parts, principal_of(call), owner, group, user.uuid))


def remove_member(server: Server, call: Call) -> None:
    """Take somebody out of a group of an organization."""
    owner, user = _find(server, call)
    group = call.params["people"]
    people_groups.remove_group_member(server.parts, principal_of(call), owner, group, user.uuid)


def _find(server: Server, call: Call) -> tuple[Organization, User]:
    with server.parts.db.read() as tx:
        owner = _open(tx, call, Action.CHANGE_MEMBERS)
        return owner, find_user(tx, principal_of(call), call.params["user"])


def _open(tx: Transaction, call: Call, action: Action) -> Organization:
    return open_organization(tx, principal_of(call), action, call.params["organization"])


def _show(user: User) -> PersonView:
    return PersonView(id=user.uuid, login=user.login, name=user.name)
