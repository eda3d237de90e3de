"""Ends all work with git at once: for a process that is about to end, and does not wait for a slow origin."""

import threading

from penstock.model.errors import UnavailableError

PAUSE = 0.5
"""Seconds after which who waits for git or for a lock looks again."""

_halted = threading.Event()


def halt() -> None:
    """Every git of this process is killed within `PAUSE`, and none is started any more."""
    _halted.set()


def check_halt() -> None:
    """Return when work may go on. Raises UnavailableError once the process is to end."""
    if _halted.is_set():
        raise UnavailableError("this process is about to end")
