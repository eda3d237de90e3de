"""From a secret to the one who showed it, fast enough for every request."""

import contextlib
from collections.abc import Mapping

from penstock.engine.principal import Principal, reach_of
from penstock.engine.unit import Parts
from penstock.model.access import Role
from penstock.model.errors import ConflictError, UnavailableError
from penstock.store import memberships, tokens
from penstock.store.sealing import hash_token
from penstock.store.tokens import USE_STEP, Bearer

TRUST = 1.5
"""Seconds for which a token that was looked up is believed to be as it was."""

MOST_LETTERS = 300


def authenticate(parts: Parts, secret: str) -> Principal | None:
    """Who the token speaks for; None for one that is unknown, expired, revoked, or whose account is disabled.

    What changes about a token or its account is seen by all servers after at most `TRUST` seconds. Not to be
    called inside a transaction: the use of the token is noted in one of its own, once a minute.
    """
    if not 0 < len(secret) <= MOST_LETTERS:
        return None
    key = hash_token(secret)
    return parts.memory.principals.get(key, parts.clock.monotonic()) or _look_up(parts, key)


def recall(parts: Parts, secret: str) -> Principal | None:
    """The same when it was looked up at most `TRUST` seconds ago; the database is not asked."""
    if not 0 < len(secret) <= MOST_LETTERS:
        return None
    return parts.memory.principals.get(hash_token(secret), parts.clock.monotonic())


def _look_up(parts: Parts, key: str) -> Principal | None:
    """Who the token of that hash speaks for, as the database has it now."""
    known, seen = parts.memory.principals, parts.memory.principals.round
    begun, now = parts.clock.monotonic(), parts.clock.now()
    with parts.db.read() as tx:
        bearer = tokens.find_bearer(tx, key)
        if bearer is None or not _holds(bearer, now):
            return None
        roles = memberships.roles_of(tx, bearer.user.id)
    principal = _make_principal(bearer, roles)
    left = TRUST if bearer.token.expires_at is None else (bearer.token.expires_at - now) / 1000
    known.put(key, principal, until=begun + min(TRUST, left), seen=seen)
    if bearer.token.used_at is None or bearer.token.used_at <= now - USE_STEP:
        _note_use(parts, bearer.token.id, now)
    return principal


def _holds(bearer: Bearer, now: int) -> bool:
    token = bearer.token
    expired = token.expires_at is not None and token.expires_at <= now
    return not expired and token.revoked_at is None and bearer.user.disabled_at is None


def _make_principal(bearer: Bearer, roles: Mapping[int, Role]) -> Principal:
    return Principal(
        user=bearer.user,
        roles=roles,
        scopes=reach_of(bearer.token.scopes),
        token=bearer.token.uuid,
        organization_id=bearer.token.organization_id,
        project_id=bearer.token.project_id,
    )


def _note_use(parts: Parts, token_id: int, now: int) -> None:
    """Note the use, unless the database is in trouble: to read is possible then all the same."""
    with contextlib.suppress(UnavailableError, ConflictError), parts.db.write() as tx:
        tokens.note_use(tx, token_id, now)
