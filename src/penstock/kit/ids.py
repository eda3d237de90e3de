"""Identifiers that sort by time of birth."""

import os
import threading
import time
from uuid import UUID


class _Ticks:
    """Parts of 1/4096 ms since the epoch that never repeat within the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def next(self) -> int:
        now = time.time_ns() * 4096 // 1_000_000
        with self._lock:
            self._last = max(now, self._last + 1)
            return self._last


_ticks = _Ticks()


def new_id() -> str:
    """A UUIDv7 in canonical text (RFC 9562 section 5.7).

    Ids made by one process sort strictly in the order they were made: the 12 bits after the
    millisecond hold a fraction of it, and a tick is borrowed when two calls share a fraction.
    """
    millis, fraction = divmod(_ticks.next(), 4096)
    random = int.from_bytes(os.urandom(8)) & 0x3FFF_FFFF_FFFF_FFFF
    value = (millis << 80) | (0x7 << 76) | (fraction << 64) | (0b10 << 62) | random
    return str(UUID(int=value))


def is_id(text: str) -> bool:
    """True when the text is a UUID in canonical form (any version, any case)."""
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False
