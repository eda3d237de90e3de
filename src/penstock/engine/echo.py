"""Servers on one PostgreSQL wake each other's agents: who waits on one hears of work that came to another.

Without it an agent would find such work all the same, when its server next looks (`gateway.LOOK`). So what
is lost while a connection is away costs time, not work.
"""

from contextlib import ExitStack

from penstock.engine.unit import Parts
from penstock.kit.ids import new_id
from penstock.model.errors import UnavailableError
from penstock.store.notices import Hear, call_out, listening

PATIENCE = 0.5
"""Seconds a round waits for something to happen; a server that stops waits for it."""


class Echo:
    """The two halves, each to be called again and again by a thread of its own."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._name = new_id()
        self._told = parts.signal.own
        self._line = ExitStack()  # closes the connection that listens
        self._hear: Hear | None = None

    def tell(self) -> float:
        """Wait a while for changes made here and call them out, however many, at once.

        Raises UnavailableError.
        """
        signal = self._parts.signal
        seen = signal.count
        if signal.own == self._told:
            signal.wait(seen, PATIENCE)
        own = signal.own
        if own != self._told:
            call_out(self._parts.db, self._name)
            self._told = own
        return 0.0

    def hear(self) -> float:
        """Wait a while for a word of another server and wake those who wait here. Raises UnavailableError."""
        if self._hear is None:
            self._hear = self._line.enter_context(listening(self._parts.db))
            self._parts.signal.notify(foreign=True)  # words called while nobody listened
        try:
            words = self._hear(PATIENCE)
        except UnavailableError:
            self.close()
            raise
        if any(word != self._name for word in words):
            self._parts.signal.notify(foreign=True)
        return 0.0

    def close(self) -> None:
        """Listen no more."""
        self._hear = None
        self._line.close()
