"""Accounts: made and changed by the server's administrators, entered with a password."""

from penstock.api.common.call import Call
from penstock.api.common.caller import principal_of
from penstock.api.common.faults import UnauthorizedError
from penstock.api.common.server import Server
from penstock.api.penstock.paging import Page, cut_page, read_number
from penstock.api.penstock.payloads import Login, MadeToken, NewAccount, UserChange, UserView
from penstock.api.penstock.people import find_user
from penstock.api.penstock.tokens import show_token
from penstock.engine import accounts
from penstock.engine.access import Action, require
from penstock.engine.api_tokens import Wish, issue_token
from penstock.engine.login import let_in
from penstock.engine.principal import Principal
from penstock.model.access import Scope, User
from penstock.store.users import Profile


def log_in(server: Server, call: Call) -> MadeToken:
    """Make a token for the account of that login and password."""
    body: Login = call.payload
    by = let_in(server.parts, body.login, body.password, call.peer)
    if by is None:
        raise UnauthorizedError("that login and password open nothing")
    made = issue_token(server.parts, by, Wish(label=body.label, scopes=(Scope.ADMIN,)))
    with server.parts.db.read() as tx:
        return MadeToken(token=show_token(tx, by, made.token), secret=made.secret)


def list_every(server: Server, call: Call) -> Page[UserView]:
    """All accounts, oldest first."""
    by, query = principal_of(call), call.query
    with server.parts.db.read() as tx:
        found = accounts.list_users(tx, by, after=read_number(query.after), limit=query.limit + 1)
    kept, after = cut_page(found, query.limit, lambda user: user.id)
    return Page([show_user(user) for user in kept], after)


def create(server: Server, call: Call) -> UserView:
    """Make an account."""
    body: NewAccount = call.payload
    profile = Profile(login=body.login, name=body.name, email=body.email, admin=body.admin)
    return show_user(accounts.create_user(server.parts, principal_of(call), profile, password=body.password))


def get(server: Server, call: Call) -> UserView:
    """An account by id or login."""
    with server.parts.db.read() as tx:
        return show_user(find_user(tx, principal_of(call), call.params["user"]))


def change(server: Server, call: Call) -> UserView:
    """Change an account: its password, whether it opens anything, whether it administers the server."""
    by, body = principal_of(call), call.payload
    with server.parts.db.read() as tx:
        user = find_user(tx, by, call.params["user"])
    _check_change(by, user, body)
    if body.password:
        accounts.change_password(server.parts, by, user.uuid, body.password)
    if body.admin is not None:
        user = accounts.promote_user(server.parts, by, user.uuid, admin=body.admin)
    if body.disabled is not None:
        user = accounts.disable_user(server.parts, by, user.uuid, disabled=body.disabled)
    return show_user(user)


def _check_change(by: Principal, user: User, body: UserChange) -> None:
    """Return when all of the change may be made, so that none of it is when one may not."""
    if body.admin is not None or body.disabled is not None:
        require(by, Action.CHANGE_USERS)
    if body.password:
        accounts.require_password_of(by, user.uuid)
        accounts.check_password(body.password)


def show_user(user: User) -> UserView:
    """The account as everybody with an account may see it."""
    return UserView(
        id=user.uuid,
        login=user.login,
        name=user.name,
        admin=user.admin,
        created_at=user.created_at,
        disabled_at=user.disabled_at,
    )
