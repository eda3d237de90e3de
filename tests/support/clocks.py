"""Clocks that tests turn themselves."""

from tests.support.records import NOW


class HandClock:
    """Time that passes only when told to."""

    def __init__(self, now: int = NOW) -> None:
        self._now = now

    def now(self) -> int:
        """Milliseconds since the epoch."""
        return self._now

    def monotonic(self) -> float:
        """The same in seconds."""
        return self._now / 1000

    def advance(self, seconds: float) -> None:
        """Let so many seconds pass."""
        self._now += round(seconds * 1000)
