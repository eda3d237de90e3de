"""Custom claims of identity tokens: of an organization, and of a project, which counts for more."""

from penstock.api.circleci.platform.claims_payloads import ClaimsAnswer, ClaimsBody, ClaimsQuery
from penstock.api.circleci.times import show_millis
from penstock.api.common.call import Call
from penstock.api.common.caller import principal_of
from penstock.api.common.server import Server
from penstock.engine.access import Action
from penstock.engine.identity_claims import Place, read_claims, set_claims, unset_claims
from penstock.engine.lookup import open_organization, open_project, owner_of
from penstock.engine.runs import read_id
from penstock.kit.durations import format_go_duration
from penstock.model.errors import NotFoundError
from penstock.model.identity import CustomClaims
from penstock.model.project import Organization, Project


def get_claims(server: Server, call: Call) -> ClaimsAnswer:
    """Get what is set in the place itself."""
    organization, place = _open_place(server, call)
    with server.parts.db.read() as tx:
        return show_claims(organization, place, read_claims(tx, principal_of(call), place))


def patch_claims(server: Server, call: Call) -> ClaimsAnswer:
    """Set an audience, a ttl, or both."""
    body: ClaimsBody = call.payload
    organization, place = _open_place(server, call)
    changed = set_claims(server.parts, principal_of(call), place, audience=body.audience, ttl=body.ttl)
    return show_claims(organization, place, changed)


def delete_claims(server: Server, call: Call) -> ClaimsAnswer:
    """Set an audience, a ttl, or both no longer."""
    query: ClaimsQuery = call.query
    organization, place = _open_place(server, call)
    names = [name.strip() for name in query.claims.split(",") if name.strip()]
    changed = unset_claims(server.parts, principal_of(call), place, names)
    return show_claims(organization, place, changed)


def show_claims(organization: Organization, place: Place, claims: CustomClaims) -> ClaimsAnswer:
    """What is set, in the vendor's form: a ttl as Go prints it."""
    return ClaimsAnswer(
        org_id=organization.uuid,
        project_id=place.uuid if isinstance(place, Project) else "",
        audience=claims.audience,
        audience_updated_at=_show(claims.audience_updated_at),
        ttl=None if claims.ttl is None else format_go_duration(claims.ttl / 1000),
        ttl_updated_at=_show(claims.ttl_updated_at),
    )


def _open_place(server: Server, call: Call) -> tuple[Organization, Place]:
    """The organization of the path, and the place that is asked about: itself, or the project below it."""
    by = principal_of(call)
    owner = read_id(call.params["org_id"])
    named = call.params.get("project_id")
    with server.parts.db.read() as tx:
        if named is None:
            organization = open_organization(tx, by, Action.SEE_ORGANIZATION, owner)
            return organization, organization
        project = open_project(tx, by, Action.SEE_PROJECT, read_id(named))
        organization = owner_of(tx, project)
    if organization.uuid != owner:
        raise NotFoundError("Project not found.")
    return organization, project


def _show(instant: int | None) -> str | None:
    return None if instant is None else show_millis(instant)
