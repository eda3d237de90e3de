"""Tokens of the caller's account: made, listed, revoked."""

from penstock.api.common.call import Call
from penstock.api.common.caller import principal_of
from penstock.api.common.server import Server
from penstock.api.penstock.paging import Page, PageQuery, cut_page, read_number
from penstock.api.penstock.payloads import MadeToken, NewToken, Text, TokenView
from penstock.api.penstock.people import find_user
from penstock.engine.access import Action
from penstock.engine.api_tokens import Wish, issue_token, list_tokens, revoke_token
from penstock.engine.lookup import open_organization, open_project
from penstock.engine.principal import Principal
from penstock.engine.runs import read_id
from penstock.model.access import ApiToken
from penstock.model.errors import InvalidError
from penstock.model.project import Organization, Project
from penstock.store import projects
from penstock.store.database import Transaction


class TokensQuery(PageQuery, frozen=True):
    """The query of the list: of which account, by id or login."""

    user: Text = ""


def list_own(server: Server, call: Call) -> Page[TokenView]:
    """The tokens of an account, the caller's own unless told, oldest first, with their last use."""
    by, query = principal_of(call), call.query
    with server.parts.db.read() as tx:
        user = find_user(tx, by, query.user).uuid if query.user else ""
        found = list_tokens(tx, by, user=user, after=read_number(query.after), limit=query.limit + 1)
        kept, after = cut_page(found, query.limit, lambda token: token.id)
        return Page([show_token(tx, by, token) for token in kept], after)


def create(server: Server, call: Call) -> MadeToken:
    """Make a token; its secret is told this once."""
    by = principal_of(call)
    body: NewToken = call.payload
    with server.parts.db.read() as tx:
        limit = _find_limit(tx, by, body)
        user = find_user(tx, by, body.user).uuid if body.user else ""
    expires = server.parts.clock.now() + body.expires_in * 1000 if body.expires_in else None
    wish = Wish(label=body.label, scopes=body.scopes, limit=limit, expires_at=expires, user=user)
    made = issue_token(server.parts, by, wish)
    with server.parts.db.read() as tx:
        return MadeToken(token=show_token(tx, by, made.token), secret=made.secret)


def revoke(server: Server, call: Call) -> None:
    """Revoke a token: it opens nothing any more."""
    revoke_token(server.parts, principal_of(call), read_id(call.params["id"]))


def _find_limit(tx: Transaction, by: Principal, body: NewToken) -> Organization | Project | None:
    if body.organization and body.project:
        raise InvalidError("a token is limited to an organization or to a project, not to both")
    if body.project:
        return open_project(tx, by, Action.SEE_PROJECT, body.project)
    if body.organization:
        return open_organization(tx, by, Action.SEE_ORGANIZATION, body.organization)
    return None


def show_token(tx: Transaction, by: Principal, token: ApiToken) -> TokenView:
    """The token without its secret, as the one who asks sees it."""
    owner = None if token.organization_id is None else projects.get_organization(tx, token.organization_id)
    project = None if token.project_id is None else projects.get_project(tx, token.project_id)
    return TokenView(
        id=token.uuid,
        label=token.label,
        scopes=token.scopes,
        organization=owner.slug if owner is not None else "",
        project=project.slug if project is not None else "",
        created_at=token.created_at,
        expires_at=token.expires_at,
        revoked_at=token.revoked_at,
        used_at=token.used_at,
        current=token.uuid == by.token,
    )
