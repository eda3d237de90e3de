"""A lock between processes, on a file; it is free again when its holder is gone, however it went."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from penstock.forge.halt import check_halt
from penstock.model.errors import UnavailableError

_PAUSE = 0.02
"""Seconds between two tries: the kernel has no wait with a limit."""


@contextmanager
def hold_lock(path: Path, seconds: float) -> Iterator[int]:
    """The descriptor of the lock, held for as long as the block lasts, and by children that inherit it.

    Raises UnavailableError when another holds it for longer than that, or the file cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise UnavailableError(f"cannot write {path}: {error.strerror}") from error
    try:
        _wait(descriptor, path, time.monotonic() + seconds)
        yield descriptor
    finally:
        os.close(descriptor)


def _wait(descriptor: int, path: Path, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            check_halt()
            if time.monotonic() > deadline:
                raise UnavailableError(f"another process works on {path.parent} for too long") from None
            time.sleep(_PAUSE)
        else:
            return
