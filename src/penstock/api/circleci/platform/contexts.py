"""Contexts: made, listed, deleted; their variables, and whom they are restricted to."""

from msgspec import UNSET, UnsetType

from penstock.api.circleci.paging import Page, cut_page, read_token
from penstock.api.circleci.payloads import Message
from penstock.api.circleci.platform import contexts_payloads as p
from penstock.api.circleci.times import show_millis
from penstock.api.common.call import Call
from penstock.api.common.caller import principal_of
from penstock.api.common.server import Server
from penstock.engine import contexts as rules
from penstock.engine.access import Action
from penstock.engine.lookup import open_organization
from penstock.engine.restricting import name_restrictions, restrict_context
from penstock.engine.runs import read_id
from penstock.model.errors import InvalidError
from penstock.model.project import Organization
from penstock.store import contexts, restrictions, variables
from penstock.store.contexts import StoredContext
from penstock.store.database import Transaction
from penstock.store.restrictions import Restriction, RestrictionKind
from penstock.store.variables import VariableInfo

MANY = 100
"""How many contexts or variables a page has; many clients read only the first."""

_KINDS = ", ".join(RestrictionKind)


def create_context(server: Server, call: Call) -> p.Context:
    """Make a context, for all members of its organization."""
    body: p.NewContext = call.payload
    with server.parts.db.read() as tx:
        owner = _open_owner(tx, call, Action.CHANGE_CONTEXTS, body.owner)
    return _show(rules.create_context(server.parts, principal_of(call), owner, body.name))


def list_contexts(server: Server, call: Call) -> Page[p.Context]:
    """The contexts of an organization, oldest first."""
    query: p.ContextsQuery = call.query
    named = p.Owner(id=query.owner_id or None, slug=query.owner_slug or None, type=query.owner_type)
    with server.parts.db.read() as tx:
        owner = _open_owner(tx, call, Action.SEE_CONTEXTS, named)
        place = f"contexts/{owner.uuid}"
        after = read_token(query.page_token, place, int) or 0
        found = contexts.list_contexts(tx, owner.id, after=after, limit=MANY + 1)
    kept, token = cut_page(found, MANY, place, lambda context: context.id)
    return Page([_show(context) for context in kept], token)


def get_context(server: Server, call: Call) -> p.Context:
    """A context by id."""
    with server.parts.db.read() as tx:
        return _show(_open(tx, call)[0])


def delete_context(server: Server, call: Call) -> Message:
    """Delete a context with its variables."""
    rules.delete_context(server.parts, principal_of(call), _read_context(call))
    return Message(message="Context deleted.")


def list_variables(server: Server, call: Call) -> Page[p.ContextVariable]:
    """The variables of a context by name, without their values."""
    with server.parts.db.read() as tx:
        context, _ = _open(tx, call)
        place = f"variables/{context.uuid}"
        after = read_token(call.query.page_token, place, str) or ""
        found = variables.list_variables(tx, variables.of_context(context.id), after=after, limit=MANY + 1)
    kept, token = cut_page(found, MANY, place, lambda variable: variable.name)
    return Page([_show_variable(context.uuid, each) for each in kept], token)


def put_variable(server: Server, call: Call) -> p.ContextVariable:
    """Set a variable of a context."""
    body: p.NewValue = call.payload
    uuid = _read_context(call)
    made = rules.set_context_variable(
        server.parts, server.sealer, principal_of(call), uuid, call.params["variable"], body.value
    )
    return _show_variable(uuid, made)


def delete_variable(server: Server, call: Call) -> Message:
    """Delete a variable of a context."""
    rules.delete_context_variable(
        server.parts, principal_of(call), _read_context(call), call.params["variable"]
    )
    return Message(message="Environment variable deleted.")


def list_restrictions(server: Server, call: Call) -> Page[p.Restriction]:
    """What a context is restricted to."""
    with server.parts.db.read() as tx:
        context, owner = _open(tx, call)
        read_token(call.query.page_token, f"restrictions/{context.uuid}", str)  # there is one page
        found = restrictions.restrictions_of(tx, context.id)
        return Page(_show_restrictions(tx, owner, context.uuid, found))


def create_restriction(server: Server, call: Call) -> p.Restriction:
    """Restrict a context to a project, a group, or by a rule."""
    uuid = _read_context(call)
    kind, value = _read_restriction(call.payload)
    made = restrict_context(server.parts, principal_of(call), uuid, kind, value)
    with server.parts.db.read() as tx:
        _, owner = _open(tx, call)
        [shown] = _show_restrictions(tx, owner, UNSET, [made])
    return shown


def delete_restriction(server: Server, call: Call) -> Message:
    """Take a restriction from a context."""
    restriction = read_id(call.params["restriction"])
    rules.remove_restriction(server.parts, principal_of(call), _read_context(call), restriction)
    return Message(message="Context restriction deleted.")


def _open(tx: Transaction, call: Call) -> tuple[StoredContext, Organization]:
    return rules.open_context(tx, principal_of(call), _read_context(call))


def _read_context(call: Call) -> str:
    return read_id(call.params["context"])


def _open_owner(tx: Transaction, call: Call, action: Action, named: p.Owner) -> Organization:
    """The organization that is named in one of two ways. Raises InvalidError, and as `open_organization`."""
    if named.type != "organization":
        raise InvalidError("Contexts belong to organizations here: the owner type must be organization.")
    if bool(named.id) == bool(named.slug):
        raise InvalidError("Name the owner by its id or by its slug, one of the two.")
    text = read_id(named.id) if named.id else named.slug or ""
    return open_organization(tx, principal_of(call), action, text)


def _read_restriction(body: p.NewRestriction) -> tuple[RestrictionKind, str]:
    if body.project_id is not None:
        other = body.restriction_type not in {None, RestrictionKind.PROJECT}
        if other or body.restriction_value not in {None, body.project_id}:
            raise InvalidError("Give project_id, or restriction_type and restriction_value, not both.")
        return RestrictionKind.PROJECT, body.project_id
    if body.restriction_type is None or body.restriction_value is None:
        raise InvalidError("restriction_type and restriction_value are needed.")
    try:
        return RestrictionKind(body.restriction_type), body.restriction_value
    except ValueError as error:
        raise InvalidError(f"restriction_type is one of {_KINDS}.") from error


def _show(context: StoredContext) -> p.Context:
    return p.Context(id=context.uuid, name=context.name, created_at=show_millis(context.created_at))


def _show_variable(context: str, variable: VariableInfo) -> p.ContextVariable:
    return p.ContextVariable(
        variable=variable.name,
        created_at=show_millis(variable.created_at),
        updated_at=show_millis(variable.updated_at),
        context_id=context,
    )


def _show_restrictions(
    tx: Transaction, owner: Organization, context: str | UnsetType, every: list[Restriction]
) -> list[p.Restriction]:
    names = name_restrictions(tx, owner, every)
    shown = []
    for each in every:
        project = {"project_id": each.value} if each.kind is RestrictionKind.PROJECT else {}
        name = {"name": names[each.value]} if each.value in names else {}
        shown.append(
            p.Restriction(
                id=each.uuid,
                context_id=context,
                restriction_type=each.kind.value,
                restriction_value=each.value,
                **name,
                **project,
            )
        )
    return shown
