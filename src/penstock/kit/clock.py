"""Time as the core sees it: whole milliseconds since the epoch, always UTC, always handed in."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """A source of time. The core never reads the system's clock itself."""

    def now(self) -> int:
        """Milliseconds since 1970-01-01T00:00:00Z."""
        ...

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never goes back."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> int:
        """Milliseconds since 1970-01-01T00:00:00Z."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never goes back."""
        return time.monotonic()


def to_datetime(millis: int) -> datetime:
    """The instant as an aware UTC datetime."""
    return datetime.fromtimestamp(millis / 1000, tz=UTC)


def from_datetime(instant: datetime) -> int:
    """The instant in milliseconds since the epoch; a naive datetime is read as UTC."""
    aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return round(aware.timestamp() * 1000)
