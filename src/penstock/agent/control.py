"""How others stop a task: a request that only grows, and a descriptor that wakes who waits for output."""

import os
import threading
from enum import IntEnum

import msgspec

from penstock.model.status import Reason


class Force(IntEnum):
    """How hard a stop is; a harder one replaces a softer one."""

    CLEAN_UP = 1  # the running step ends, steps that always run still do
    NOW = 2  # nothing runs any more, the end is reported
    SILENT = 3  # the same, and nothing is reported: the task is no longer ours


class Stop(msgspec.Struct, frozen=True):
    """A request to stop a task, and why."""

    force: Force
    reason: Reason = Reason.USER


class Control:
    """The stop button of one task. Any thread may press; the thread of the task looks and is woken."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reader, self._writer = (
            os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK) if hasattr(os, "pipe2") else os.pipe()
        )
        self.stop: Stop | None = None

    def request(self, stop: Stop) -> None:
        """Ask for the stop; has no effect when an equal or harder one was asked for."""
        with self._lock:
            if self.stop is None or stop.force > self.stop.force:
                self.stop = stop
                if self._writer >= 0:
                    os.write(self._writer, b"!")

    def fileno(self) -> int:
        """A descriptor that becomes readable when a stop is requested."""
        return self._reader

    def acknowledge(self) -> None:
        """Make the descriptor unreadable again until a harder stop is requested."""
        with self._lock:
            if self.stop is not None:
                os.read(self._reader, 16)

    def close(self) -> None:
        """Give the descriptors back; later requests are remembered but wake nobody."""
        with self._lock:
            if self._writer >= 0:
                os.close(self._writer)
                os.close(self._reader)
                self._writer = -1
