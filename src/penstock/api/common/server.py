"""What a handler can reach: the parts of the server that answers."""

from collections.abc import Callable, Hashable, Mapping, Sequence

import msgspec

from penstock.api.common.call import Caller
from penstock.api.common.meter import Meter
from penstock.api.common.room import Room
from penstock.engine.gateway import Gateway
from penstock.engine.launch import NoCode, Workshop
from penstock.engine.recent import Recent
from penstock.engine.unit import Parts
from penstock.notify.address import Reach
from penstock.store.sealing import Sealer

HOOK_ROOM = 100 << 20
"""Bytes; four of the largest webhooks that hosts send."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds on what callers may cost."""

    body: int = 1 << 20  # bytes, unless a route has a limit of its own
    depth: int = 100  # of JSON in a body
    patience: float = 30.0  # seconds between two pieces of a body
    threads: int = 8  # requests that are worked on at once
    memory: int = 256 << 20  # bytes of bodies that are held at once
    waiting: int = 512  # requests that wait for a thread


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """The parts behind the HTTP surface, put together by `bootstrap`."""

    parts: Parts
    gateway: Gateway
    meter: Meter
    sealer: Sealer
    authenticate: Callable[[str], Caller | None] = lambda _secret: None
    """Who has the secret, None when nobody has. Called in a thread of the pool."""
    recall: Callable[[str], Caller | None] = lambda _secret: None
    """The same when it is known without asking the database, for quick routes. Where the database is a file,
    such a route is answered on the loop: to read some rows takes less than to hand it to a thread."""
    log_in: Callable[[str, str, str], Caller | None] = lambda _login, _password, _peer: None
    """Who has that login and password, None when nobody has; takes the caller's address too. Raises
    ThrottledError for somebody who was wrong too often."""
    workshop: Workshop = Workshop(code=NoCode())
    base_url: str = ""
    limits: Limits = Limits()
    figures_for_all: bool = True
    """Whether the server's figures are shown to those without an account."""
    shown: Recent[tuple[Hashable, ...], msgspec.Raw] = msgspec.field(default_factory=lambda: Recent(4096))
    """What dialects have encoded, by all that it follows from."""
    pages: Recent[tuple[Hashable, ...], bytes] = msgspec.field(default_factory=lambda: Recent(256))
    """Whole answers, by all that they follow from."""
    hook_room: Room = msgspec.field(default_factory=lambda: Room(HOOK_ROOM))
    """Room for bodies of webhooks that were not checked yet."""
    reach: Reach = Reach()
    """Where webhooks may be sent."""
    prices: Mapping[str, float] = {}
    """Credits for a minute by resource class, where the operator says otherwise than CircleCI."""
    find_reasons: Callable[[], Sequence[str]] = list
    """Why the server is not ready; empty when it is. May ask the database, so it takes a thread."""
