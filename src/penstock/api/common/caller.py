"""A caller who showed a token, between the core's principal and the guard of routes."""

import msgspec

from penstock.api.common.call import Call
from penstock.api.common.faults import UnauthorizedError
from penstock.engine.access import Action, may_ever
from penstock.engine.authenticate import authenticate, recall
from penstock.engine.login import let_in
from penstock.engine.principal import Principal
from penstock.engine.unit import Parts


class KnownCaller(msgspec.Struct, frozen=True):
    """Somebody with an account."""

    principal: Principal

    @property
    def name(self) -> str:
        """How the log calls them."""
        return self.principal.user.login

    def may(self, action: str) -> bool:
        """True when the token is made for such actions; where, the use case decides."""
        return may_ever(self.principal, Action(action))


def find_caller(parts: Parts, secret: str) -> KnownCaller | None:
    """Who has the secret, None when nobody has."""
    principal = authenticate(parts, secret)
    return None if principal is None else KnownCaller(principal)


def recall_caller(parts: Parts, secret: str) -> KnownCaller | None:
    """The same when that was looked up a moment ago and the database is a file; else None."""
    principal = recall(parts, secret) if parts.db.is_sqlite else None
    return None if principal is None else KnownCaller(principal)


def find_person(parts: Parts, login: str, password: str, peer: str) -> KnownCaller | None:
    """Who has that login and password, None when nobody has. Raises ThrottledError."""
    principal = let_in(parts, login, password, peer)
    return None if principal is None else KnownCaller(principal)


def principal_of(call: Call) -> Principal:
    """Who calls. Raises UnauthorizedError on a route that anybody may call."""
    if not isinstance(call.caller, KnownCaller):
        raise UnauthorizedError("a valid token is needed here")
    return call.caller.principal
