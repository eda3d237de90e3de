"""Groups of people in an organization, whom contexts may be for; who is in them is our own API's matter."""

from penstock.api.circleci.paging import cut_page, read_token
from penstock.api.circleci.payloads import Message
from penstock.api.circleci.platform import contexts_payloads as p
from penstock.api.common.call import Call
from penstock.api.common.caller import principal_of
from penstock.api.common.server import Server
from penstock.engine import people_groups
from penstock.engine.access import Action
from penstock.engine.lookup import open_organization
from penstock.engine.runs import read_id
from penstock.model.project import Organization
from penstock.store.database import Transaction
from penstock.store.people_groups import PeopleGroup


def list_groups(server: Server, call: Call) -> p.Groups:
    """The groups of an organization, oldest first."""
    by, query = principal_of(call), call.query
    with server.parts.db.read() as tx:
        owner = _open(tx, call, Action.SEE_MEMBERS)
        place = f"groups/{owner.uuid}"
        after = read_token(query.page_token, place, int) or 0
        found = people_groups.list_groups(tx, by, owner, after=after, limit=query.limit + 1)
        total = people_groups.count_groups(tx, by, owner)
    kept, token = cut_page(found, query.limit, place, lambda group: group.id)
    return p.Groups(items=tuple(map(_show, kept)), next_page_token=token, total_count=total)


def create_group(server: Server, call: Call) -> p.Group:
    """Make a group that nobody is in."""
    body: p.NewGroup = call.payload
    with server.parts.db.read() as tx:
        owner = _open(tx, call, Action.CHANGE_MEMBERS)
    return _show(
        people_groups.create_group(server.parts, principal_of(call), owner, body.name, body.description)
    )


def get_group(server: Server, call: Call) -> p.Group:
    """A group by id."""
    with server.parts.db.read() as tx:
        owner = _open(tx, call, Action.SEE_MEMBERS)
        return _show(people_groups.open_group(tx, principal_of(call), owner, _read_group(call)))


def delete_group(server: Server, call: Call) -> Message:
    """Delete a group; contexts that are for it are for nobody in its place."""
    with server.parts.db.read() as tx:
        owner = _open(tx, call, Action.CHANGE_MEMBERS)
    people_groups.delete_group(server.parts, principal_of(call), owner, _read_group(call))
    return Message(message="Group deleted.")


def _open(tx: Transaction, call: Call, action: Action) -> Organization:
    return open_organization(tx, principal_of(call), action, read_id(call.params["org_id"]))


def _read_group(call: Call) -> str:
    return read_id(call.params["group"])


def _show(group: PeopleGroup) -> p.Group:
    return p.Group(id=group.uuid, name=group.name, description=group.description)
