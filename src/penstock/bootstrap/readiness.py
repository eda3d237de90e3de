"""Whether a server should get requests: it means to stay, and what it depends on answers."""

import threading
import time
from collections.abc import Callable

from penstock.engine.unit import Parts
from penstock.model.errors import PenstockError

_FRESH = 1.0  # seconds for which an answer counts: asking often must cost little
_PROBE = "probes/absent"  # a blob that is never there


class Readiness:
    """Looks at the parts when asked. Safe to use from several threads."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._lock = threading.Lock()
        self._leaving = False
        self._found: tuple[str, ...] = ()
        self._looked = -_FRESH

    def leave(self) -> None:
        """The server stops: it is not ready from here on."""
        self._leaving = True

    def find_reasons(self) -> tuple[str, ...]:
        """Why the server is not ready; empty when it is."""
        if self._leaving:
            return ("the server is stopping",)
        with self._lock:
            if time.monotonic() - self._looked >= _FRESH:
                checks = (self._parts.db.ping, self._ask_blobs)
                self._found = tuple(reason for check in checks if (reason := _attempt(check)))
                self._looked = time.monotonic()
            return self._found

    def _ask_blobs(self) -> None:
        self._parts.blobs.exists(_PROBE)


def _attempt(check: Callable[[], None]) -> str:
    try:
        check()
    except PenstockError as error:
        return str(error)
    return ""
