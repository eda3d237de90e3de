"""API tokens: issued once in the open, listed without their secret, revoked for good."""

import msgspec

from penstock.engine.access import Action, require, sees, unknown
from penstock.engine.accounts import TOKEN_PREFIX
from penstock.engine.audit import note
from penstock.engine.principal import Principal, reach_of
from penstock.engine.transact import transact
from penstock.engine.unit import Parts, Unit
from penstock.kit.ids import new_id
from penstock.model.access import ApiToken, Scope, User
from penstock.model.errors import ForbiddenError, InvalidError, LimitExceededError, NotFoundError
from penstock.model.project import Organization, Project
from penstock.store import tokens, users
from penstock.store.database import Transaction
from penstock.store.sealing import hash_token, make_token

MOST_TOKENS = 500
"""Tokens an account may have, revoked ones among them."""


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What a new token is to be. `limit` is all it speaks for, None for all that its account may do.

    `user` is the UUID of whom it speaks for, "" for the one who asks.
    """

    label: str
    scopes: tuple[Scope, ...]
    limit: Organization | Project | None = None
    expires_at: int | None = None
    user: str = ""


class IssuedToken(msgspec.Struct, frozen=True):
    """A new token; its secret is shown this once."""

    token: ApiToken
    secret: str

    def __repr__(self) -> str:
        """Without the secret."""
        return f"IssuedToken({self.token!r})"


def issue_token(parts: Parts, by: Principal, wish: Wish) -> IssuedToken:
    """A new token. It reaches no further than the one that asks for it.

    Raises ForbiddenError, InvalidError for a label, scopes or expiry that make no sense, NotFoundError for
    a limit the principal may not know of, LimitExceededError past `MOST_TOKENS`.
    """
    require(by, Action.CHANGE_TOKENS)
    _check_wish(parts, by, wish)

    def work(unit: Unit) -> IssuedToken:
        owner = _find_owner(unit.tx, by, wish.user)
        if users.lock_user(unit.tx, owner.id) is None:
            raise NotFoundError("User not found.")
        if len(tokens.tokens_of(unit.tx, owner.id, limit=MOST_TOKENS)) >= MOST_TOKENS:
            raise LimitExceededError(f"an account may have {MOST_TOKENS} tokens")
        secret = make_token(TOKEN_PREFIX)
        stored = tokens.add_token(unit.tx, _make_record(unit, owner, wish), hash_token(secret))
        if stored is None:
            raise RuntimeError("a random token was made twice")
        scopes = [scope.value for scope in stored.scopes]
        note(unit, by, "token.create", stored.uuid, label=stored.label, login=owner.login, scopes=scopes)
        return IssuedToken(stored, secret)

    return transact(parts, work)


def list_tokens(
    tx: Transaction, by: Principal, *, user: str = "", after: int = 0, limit: int = 100
) -> list[ApiToken]:
    """The account's tokens, oldest first, with ids above `after`, no further than the asking one reaches.

    Raises ForbiddenError.
    """
    require(by, Action.CHANGE_TOKENS)
    owner = _find_owner(tx, by, user)
    return tokens.tokens_of(
        tx,
        owner.id,
        organization_id=by.organization_id,
        project_id=by.project_id,
        after=after,
        limit=limit,
    )


def revoke_token(parts: Parts, by: Principal, uuid: str) -> None:
    """The token opens nothing any more: here at once, elsewhere within `authenticate.TRUST` seconds.

    Raises ForbiddenError, NotFoundError for a token of somebody else, unless an administrator asks.
    """
    if by.token != uuid:  # every token may end itself
        require(by, Action.CHANGE_TOKENS)

    def work(unit: Unit) -> None:
        found = tokens.token_by_uuid(unit.tx, uuid)
        mine = found is not None and found.user_id == by.user.id and _covers(by, found)
        if found is None or not (mine or _rules_all(by)):
            raise NotFoundError("Token not found.")
        tokens.revoke_token(unit.tx, found.id, now=unit.now)
        note(unit, by, "token.revoke", uuid, label=found.label)
        unit.afterwards.append(parts.memory.principals.forget)

    transact(parts, work)


def _check_wish(parts: Parts, by: Principal, wish: Wish) -> None:
    if not 0 < len(wish.label) <= 200 or not wish.scopes:  # noqa: PLR2004 - said in the message
        raise InvalidError("a token has a label of up to 200 characters and at least one scope")
    if wish.expires_at is not None and wish.expires_at <= parts.clock.now():
        raise InvalidError("a token cannot expire in the past")
    if not reach_of(wish.scopes) <= by.scopes:
        raise ForbiddenError("a token cannot be made for more than the one it is made with")
    if wish.limit is not None and not sees(by, wish.limit):
        raise unknown(wish.limit)
    within = by.project_id is None or isinstance(wish.limit, Project)
    if by.is_limited and (wish.limit is None or not within):
        raise ForbiddenError("a token cannot reach further than the one it is made with")


def _find_owner(tx: Transaction, by: Principal, uuid: str) -> User:
    """Whom the tokens are about: the one who asks, or anybody when an administrator asks."""
    if uuid in {"", by.user.uuid}:
        return by.user
    require(by, Action.CHANGE_USERS)
    user = users.user_by_uuid(tx, uuid)
    if user is None:
        raise NotFoundError("User not found.")
    return user


def _make_record(unit: Unit, owner: User, wish: Wish) -> ApiToken:
    project = wish.limit if isinstance(wish.limit, Project) else None
    organization = wish.limit.id if isinstance(wish.limit, Organization) else None
    return ApiToken(
        id=0,
        uuid=new_id(),
        user_id=owner.id,
        label=wish.label,
        scopes=tuple(dict.fromkeys(wish.scopes)),
        organization_id=project.organization_id if project is not None else organization,
        project_id=project.id if project is not None else None,
        created_at=unit.now,
        expires_at=wish.expires_at,
    )


def _covers(by: Principal, token: ApiToken) -> bool:
    """True when the token reaches no further than the principal does, or is its own."""
    same_place = by.organization_id in {None, token.organization_id} and by.project_id in {
        None,
        token.project_id,
    }
    return by.token == token.uuid or same_place


def _rules_all(by: Principal) -> bool:
    return by.user.admin and not by.is_limited and Scope.ADMIN in by.scopes
