"""Waits for what happens outside: conditions with a deadline, processes that carry a marker."""

import os
import time
import zlib
from collections.abc import Callable
from pathlib import Path


def wait_until(
    condition: Callable[[], bool], *, seconds: float = 10.0, what: str = "", pause: float = 0.02
) -> None:
    """Return as soon as the condition holds; the test fails when it does not within the time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what or condition}")
        time.sleep(pause)


def processes_with(text: str) -> list[int]:
    """Processes, other than this one, whose environment or command line contains the text."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            told = (folder / "environ").read_bytes() + (folder / "cmdline").read_bytes()
            state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if text.encode() in told and state != "Z":
            found.append(int(folder.name))
    return found


def mark_of(folder: Path) -> str:
    """Seconds for which the jobs of one test sleep, and nobody else's: found in their command lines."""
    return f"4711.{zlib.crc32(os.fspath(folder).encode()):010d}"


def heeds(pid: int, number: int) -> bool:
    """Whether the process answers the signal with code of its own; false as well when it has ended."""
    try:
        told = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    (caught,) = [int(line.split()[1], 16) for line in told.splitlines() if line.startswith("SigCgt:")]
    return bool(caught & 1 << number - 1)
