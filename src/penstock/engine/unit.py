"""One transaction in the making, with the parts it works with."""

from collections.abc import Callable

import msgspec

from penstock.engine.feed import Change, Feed
from penstock.engine.memory import Memory
from penstock.engine.signal import Signal
from penstock.engine.variables import Variables
from penstock.kit.clock import Clock
from penstock.store.blobs import Blobs
from penstock.store.database import Database, Transaction


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """The real parts the engine works with, put together by `bootstrap`."""

    db: Database
    blobs: Blobs
    clock: Clock
    variables: Variables
    feed: Feed
    signal: Signal
    memory: Memory


class Unit:
    """A transaction, its instant, and what is to follow from it once it is committed."""

    def __init__(self, parts: Parts, tx: Transaction) -> None:
        self.parts = parts
        self.tx = tx
        self.now = parts.clock.now()
        self.changes: list[Change] = []  # for watchers, in order
        self.wake = False  # there may be new work or a new command for an agent
        self.afterwards: list[Callable[[], None]] = []  # what must not happen unless it is committed
