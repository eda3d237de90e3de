"""Whether a server should get requests: it means to stay, and what it depends on answers."""

import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

from penstock.engine.unit import Parts
from penstock.model.errors import PenstockError, UnavailableError

FRESH = 1.0
"""Seconds for which an answer counts: asking often must cost little."""

SLOW = 3.0
"""Seconds after which a part that has not answered counts as away."""

_PROBE = "probes/absent"  # a blob that is never there
_LEAVING = ("the server is stopping",)


LEAST_SPACE = 64 << 20
"""Bytes free on the disk of the data folder below which a server should get no more work."""


class Readiness:
    """Looks at the parts when asked, one look at a time. Safe to use from several threads."""

    def __init__(self, parts: Parts, folder: Path) -> None:
        self._parts = parts
        self._folder = folder
        self._look = threading.Lock()
        self._leaving = False
        self._found: tuple[str, ...] = ()
        self._begun = self._ended = -FRESH

    def leave(self) -> None:
        """The server stops: it is not ready from here on."""
        self._leaving = True

    def find_reasons(self) -> tuple[str, ...]:
        """Why the server is not ready; empty when it is.

        While a part lets another caller wait, this one gets what was found before: threads are scarce.
        """
        if self._leaving:
            return _LEAVING
        if time.monotonic() - self._ended < FRESH:
            return self._found
        if not self._look.acquire(blocking=False):
            waits = time.monotonic() - self._begun
            return ("the database or the blob store does not answer",) if waits > SLOW else self._found
        try:
            self._begun = time.monotonic()
            checks = (self._parts.db.ping, self._ask_blobs, self._look_at_disk)
            self._found = tuple(reason for check in checks if (reason := _attempt(check)))
            self._ended = time.monotonic()
        finally:
            self._look.release()
        return self._found

    def _look_at_disk(self) -> None:
        try:
            free = shutil.disk_usage(self._folder).free
        except OSError as error:
            raise UnavailableError(f"the data folder cannot be looked at: {error.strerror}") from error
        if free < LEAST_SPACE:
            raise UnavailableError(f"the disk of the data folder is full: {free >> 20} MiB are free")

    def _ask_blobs(self) -> None:
        self._parts.blobs.exists(_PROBE)


def _attempt(check: Callable[[], None]) -> str:
    try:
        check()
    except PenstockError as error:
        return str(error)
    return ""
