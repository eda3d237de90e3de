"""How often somebody was wrong of late: the measure that makes guessing passwords slow."""

import ipaddress
import math
import threading
from collections.abc import Iterator

import msgspec

from penstock.engine.recent import Recent
from penstock.model.errors import ThrottledError


class Allowance(msgspec.Struct, frozen=True):
    """So many wrong tries at once, and one more each time so many seconds have passed."""

    burst: int
    seconds: float


OF_PAIR = Allowance(5, 30)
"""Of one address for one login."""

OF_ADDRESS = Allowance(20, 10)
OF_LOGIN = Allowance(100, 10)
"""Of all addresses for one login. An address from which it was opened before is not held up by others."""

_MOST = 10_000


class Attempts:
    """Wrong tries by login and address, in the memory of one server. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._debts: Recent[str, tuple[float, float]] = Recent(_MOST)  # seconds owed, and when that was
        self._friends: Recent[str, bool] = Recent(_MOST)

    def spend(self, login: str, address: str, now: float) -> None:
        """Count a try beforehand, so that many at once are no way around. Raises ThrottledError."""
        with self._lock:
            bounds = dict(self._bounds(login, address))
            owed = {key: self._owed(key, now) for key in bounds}
            rest = max(owed[key] - (each.burst - 1) * each.seconds for key, each in bounds.items())
            if rest > 0:
                sentence = "too many wrong passwords: try again later"
                raise ThrottledError(sentence, rest=math.ceil(rest))
            for key, each in bounds.items():
                self._debts.put(key, (owed[key] + each.seconds, now))

    def refund(self, login: str, address: str, now: float) -> None:
        """The try does not count: nobody looked at it."""
        with self._lock:
            for key, each in self._bounds(login, address):
                self._debts.put(key, (max(self._owed(key, now) - each.seconds, 0), now))

    def forgive(self, login: str, address: str, now: float) -> None:
        """The try was right: it does not count, and this address is a friend of the login's."""
        self.refund(login, address, now)
        with self._lock:
            self._friends.put(_pair(login, address), True)  # noqa: FBT003 - a set of keys

    def _owed(self, key: str, now: float) -> float:
        debt, since = self._debts.get(key) or (0.0, now)
        return max(debt - (now - since), 0)

    def _bounds(self, login: str, address: str) -> Iterator[tuple[str, Allowance]]:
        pair = _pair(login, address)
        yield pair, OF_PAIR
        yield f"@{_network(address)}", OF_ADDRESS
        if self._friends.get(pair) is None:
            yield login.casefold(), OF_LOGIN


def _pair(login: str, address: str) -> str:
    return f"{login.casefold()}@{_network(address)}"


def _network(address: str) -> str:
    """The address, of IPv6 the /64 it is in: whoever has one address there has them all."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((known, 64), strict=False)) if known.version == 6 else address  # noqa: PLR2004 - IPv6
