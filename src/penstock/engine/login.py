"""From a login and password to the one they belong to, slow only for those who guess."""

import hashlib
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from penstock.engine.authenticate import TRUST
from penstock.engine.principal import Principal, reach_of
from penstock.engine.unit import Parts
from penstock.model.access import Scope, User
from penstock.model.errors import UnavailableError
from penstock.store import memberships, users
from penstock.store.passwords import verify_password

MOST_LETTERS = 300
"""Longer logins and passwords are nobody's."""

_AT_ONCE = 2
"""Passwords compared at once: each takes 32 MiB and a good part of a tenth of a second."""

_WAITING = 2
"""Threads that may wait for a turn; one more is refused at once, and does what others ask for."""

_WAIT = 2.0  # seconds for a turn

_CROWDED = "too many log in at present: try again"

_room = threading.BoundedSemaphore(_AT_ONCE + _WAITING)
_turns = threading.BoundedSemaphore(_AT_ONCE)
_salt = secrets.token_bytes(32)  # of this process: what is remembered of passwords is of use nowhere else


def let_in(parts: Parts, login: str, password: str, address: str) -> Principal | None:
    """Who has that login and password and speaks for all they may; None for a wrong pair.

    A right pair is believed for `TRUST` seconds. Raises ThrottledError for an address or login with too many
    wrong tries of late, UnavailableError when too many others try.
    """
    if not (0 < len(login) <= MOST_LETTERS and 0 < len(password) <= MOST_LETTERS) or "\0" in login:
        return None
    key = _fingerprint(login, password)
    now, seen = parts.clock.monotonic(), parts.memory.principals.round
    known = parts.memory.principals.get(key, now)
    if known is not None:
        return known
    attempts = parts.memory.attempts
    attempts.spend(login, address, now)
    try:
        user = log_in(parts, login, password)
    except UnavailableError:
        attempts.refund(login, address, now)
        raise
    if user is None:
        return None
    attempts.forgive(login, address, now)
    with parts.db.read() as tx:
        roles = memberships.roles_of(tx, user.id)
    principal = Principal(user=user, roles=roles, scopes=reach_of((Scope.ADMIN,)))
    parts.memory.principals.put(key, principal, until=now + TRUST, seen=seen)
    return principal


def log_in(parts: Parts, login: str, password: str) -> User | None:
    """The account of that login and password, None for a wrong pair; takes the same time either way.

    Raises UnavailableError when too many others try.
    """
    with parts.db.read() as tx:
        user = users.user_by_login(tx, login)
        stored = users.load_password(tx, user.id) if user is not None else None
    with _turn():
        right = verify_password(password, stored)
    return user if right and user is not None and user.disabled_at is None else None


@contextmanager
def _turn() -> Iterator[None]:
    """Inside, few others compare passwords. Raises UnavailableError when too many want to."""
    if not _room.acquire(blocking=False):
        raise UnavailableError(_CROWDED)
    try:
        if not _turns.acquire(timeout=_WAIT):
            raise UnavailableError(_CROWDED)
        try:
            yield
        finally:
            _turns.release()
    finally:
        _room.release()


def _fingerprint(login: str, password: str) -> str:
    """A key for what is remembered; no hash of a token looks like it."""
    return (
        "login:"
        + hashlib.blake2b(f"{login}\0{password}".encode("utf-8", "surrogatepass"), key=_salt).hexdigest()
    )
