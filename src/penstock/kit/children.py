"""The child processes of this process that somebody here waits for.

All others are orphans that an agent in this process has adopted, and which it may end and wait for. Who
starts a process with a session of its own says so here, or an agent takes its exit code, or its life.
"""

import threading

LOCK = threading.Lock()
"""Held while a process is started, so that no agent sees a child that is not known yet."""

KNOWN: set[int] = set()
"""Their ids. To be changed with the lock held."""


def forget_child(pid: int) -> None:
    """The process was waited for; its id may be given to another."""
    with LOCK:
        KNOWN.discard(pid)
