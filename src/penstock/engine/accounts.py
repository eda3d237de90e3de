"""Accounts: made and changed by the server's administrators, the first of them by the server itself."""

import re

import msgspec

from penstock.engine.access import Action, require
from penstock.engine.audit import note
from penstock.engine.principal import SERVER, Principal
from penstock.engine.transact import transact
from penstock.engine.unit import Parts, Unit
from penstock.forge.hooks.event import NOBODY
from penstock.kit.ids import new_id
from penstock.model.access import ApiToken, Scope, User
from penstock.model.errors import ConflictError, InvalidError, NotFoundError
from penstock.model.schedule import SYSTEM
from penstock.store import tokens, users
from penstock.store.database import Transaction
from penstock.store.passwords import hash_password, verify_password
from penstock.store.sealing import hash_token, make_token
from penstock.store.users import Profile, UserChange

TOKEN_PREFIX = "pst_"  # noqa: S105 - how tokens begin, not one of them
FIRST_LOGIN = "admin"
FIRST_LABEL = "made on the first start"
GIVEN_LABEL = "PENSTOCK_ADMIN_TOKEN"

_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+\[\]-]{0,99}")
_GIVEN = re.compile(r"[\x21-\x7e]{16,200}")
_LEAST_PASSWORD, _MOST_PASSWORD = 8, 300


class FirstAdmin(msgspec.Struct, frozen=True):
    """The administrator with whom a server begins. `token` is "" unless it was made just now."""

    user: User | None
    token: str = ""

    def __repr__(self) -> str:
        """Without the token."""
        return f"FirstAdmin({self.user!r})"


def make_admin(parts: Parts, *, token: str = "", password: str = "") -> FirstAdmin:
    """The server has an administrator `admin` afterwards; a token is made only with the account.

    With `token` or `password`, which the operator has set, they open that account, and a token set before
    opens nothing more. Safe to be called by several servers at once, each time they start. Raises
    InvalidError for a token or password that is too short.
    """
    if token and not _GIVEN.fullmatch(token):
        raise InvalidError(f"{GIVEN_LABEL} must have 16 to 200 visible ASCII characters and no blanks")
    if password and len(password) < _LEAST_PASSWORD:
        raise InvalidError(f"PENSTOCK_ADMIN_PASSWORD must have {_LEAST_PASSWORD} characters or more")
    hashed = hash_password(check_password(password)) if password else None
    return transact(parts, lambda unit: _make_admin(unit, token, password, hashed))


def create_user(parts: Parts, by: Principal, profile: Profile, *, password: str = "") -> User:
    """A new account. Raises ForbiddenError, InvalidError for a bad login or password, ConflictError."""
    require(by, Action.CHANGE_USERS)
    if not _LOGIN.fullmatch(profile.login):
        raise InvalidError(
            "a login has up to 100 letters, digits and . _ @ + - [ ], the first a letter or digit"
        )
    if profile.login.lower() == SYSTEM:
        raise ConflictError(f"the login {SYSTEM} is that of schedules which run as nobody in particular")
    if profile.login.lower() == NOBODY:
        raise ConflictError(f"the login {NOBODY} is that of whoever pushes and has none")
    hashed = hash_password(check_password(password)) if password else None

    def work(unit: Unit) -> User:
        user = users.add_user(unit.tx, msgspec.structs.replace(profile, password=hashed), now=unit.now)
        if user is None:
            raise ConflictError(f"the login {profile.login} is taken")
        note(unit, by, "user.create", user.uuid, login=user.login, admin=user.admin)
        return user

    return transact(parts, work)


def open_user(tx: Transaction, by: Principal, uuid: str) -> User:
    """The account of that UUID, of whoever it is. Raises NotFoundError, ForbiddenError."""
    require(by, Action.SEE_USER)
    user = users.user_by_uuid(tx, uuid)
    if user is None:
        raise NotFoundError("User not found.")
    return user


def list_users(tx: Transaction, by: Principal, *, after: int = 0, limit: int = 100) -> list[User]:
    """Accounts, oldest first, those with an id above `after`. Raises ForbiddenError."""
    require(by, Action.CHANGE_USERS)
    return users.list_users(tx, after=after, limit=limit)


def disable_user(parts: Parts, by: Principal, uuid: str, *, disabled: bool = True) -> User:
    """The account and its tokens open nothing (or do again). Raises NotFoundError, ForbiddenError."""
    return _change_user(parts, by, uuid, "user.disable" if disabled else "user.enable", disabled=disabled)


def promote_user(parts: Parts, by: Principal, uuid: str, *, admin: bool) -> User:
    """The account administers the server, or does not any more. Raises NotFoundError, ForbiddenError."""
    return _change_user(parts, by, uuid, "user.promote" if admin else "user.demote", admin=admin)


def change_password(parts: Parts, by: Principal, uuid: str, password: str) -> None:
    """The account has that password. Everybody may change their own, and administrators any."""
    require_password_of(by, uuid)
    hashed = hash_password(check_password(password))

    def work(unit: Unit) -> None:
        user = open_user(unit.tx, by, uuid)
        users.update_user(unit.tx, UserChange(id=user.id, password=hashed))
        note(unit, by, "user.password", user.uuid, login=user.login)
        unit.afterwards.append(parts.memory.principals.forget)

    transact(parts, work)


def require_password_of(by: Principal, uuid: str) -> None:
    """Return when the principal may change the password of that account. Raises ForbiddenError."""
    require(by, Action.CHANGE_TOKENS if by.user.uuid == uuid and not by.is_limited else Action.CHANGE_USERS)


def check_password(password: str) -> str:
    """The password, which is long enough; raises InvalidError when it is not."""
    if not _LEAST_PASSWORD <= len(password) <= _MOST_PASSWORD:
        raise InvalidError(f"a password has {_LEAST_PASSWORD} to {_MOST_PASSWORD} characters")
    return password


def _change_user(
    parts: Parts,
    by: Principal,
    uuid: str,
    action: str,
    *,
    disabled: bool | None = None,
    admin: bool | None = None,
) -> User:
    require(by, Action.CHANGE_USERS)

    def work(unit: Unit) -> User:
        user = open_user(unit.tx, by, uuid)
        change = UserChange(id=user.id)
        if disabled is not None:
            change.disabled_at = (user.disabled_at or unit.now) if disabled else None
        if admin is not None:
            change.admin = admin
        users.update_user(unit.tx, change)
        note(unit, by, action, user.uuid, login=user.login)
        unit.afterwards.append(parts.memory.principals.forget)
        return open_user(unit.tx, by, uuid)

    return transact(parts, work)


def _make_admin(unit: Unit, token: str, password: str, hashed: str | None) -> FirstAdmin:
    user = users.user_by_login(unit.tx, FIRST_LOGIN)
    made = None
    if user is None:
        if users.has_users(unit.tx) and not token and not password:
            return FirstAdmin(None)
        profile = Profile(login=FIRST_LOGIN, name="Administrator", admin=True, password=hashed)
        made = users.add_user(unit.tx, profile, now=unit.now)
        user = made or users.user_by_login(unit.tx, FIRST_LOGIN)  # a rival made it meanwhile
    if user is None:
        raise ConflictError("the first administrator cannot be made: another server just deleted it")
    if made is not None:
        note(unit, SERVER, "user.create", user.uuid, login=user.login, admin=True)
    elif password and not verify_password(password, users.load_password(unit.tx, user.id)):
        users.update_user(unit.tx, UserChange(id=user.id, password=hashed))
        note(unit, SERVER, "user.password", user.uuid, login=user.login)
    if token:
        _give_token(unit, user, token)
    elif made is not None:
        return FirstAdmin(user, _add_token(unit, user, make_token(TOKEN_PREFIX), FIRST_LABEL))
    return FirstAdmin(user)


def _give_token(unit: Unit, user: User, token: str) -> None:
    """The operator's token opens the account unless it was revoked; those set before do not."""
    present = tokens.find_bearer(unit.tx, hash_token(token))
    for known in tokens.tokens_of(unit.tx, user.id, limit=10_000):
        if known.label == GIVEN_LABEL and (present is None or known.id != present.token.id):
            tokens.revoke_token(unit.tx, known.id, now=unit.now)
    if present is None:
        _add_token(unit, user, token, GIVEN_LABEL)


def _add_token(unit: Unit, user: User, secret: str, label: str) -> str:
    record = ApiToken(
        id=0,
        uuid=new_id(),
        user_id=user.id,
        label=label,
        scopes=(Scope.ADMIN,),
        organization_id=None,
        project_id=None,
        created_at=unit.now,
        expires_at=None,
    )
    if tokens.add_token(unit.tx, record, hash_token(secret)) is not None:
        note(unit, SERVER, "token.create", record.uuid, label=label, login=user.login)
    return secret
