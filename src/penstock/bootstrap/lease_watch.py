"""Decides when a lease that is over means a lost agent: not while the agents could not have renewed it."""

import time
from collections.abc import Callable

GRACE = 2 / 3
"""What part of a lease agents are given to be heard of again: a try and a pause may take a third each."""

GAP = 5.0
"""Seconds without a round after which the server counts as having been away."""


class LeaseWatch:
    """A server that has just begun, or whose database was away, gives agents time before it judges them.

    Other servers on the database judge as always: agents could have spoken to them.
    """

    def __init__(self, grace: float, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._grace = grace  # seconds
        self._last = now()  # the end of the last round that went well
        self._from = self._last + self._grace

    def is_open(self) -> bool:
        """True when leases that are over may be ended in this round."""
        now = self._now()
        if now - self._last > GAP:
            self._from = now + self._grace
        return now >= self._from

    def note_round(self) -> None:
        """The round went well."""
        self._last = self._now()
