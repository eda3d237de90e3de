"""What a benchmark reports: a cost, the floor measured in the same run, and the bound to keep."""

import os
import resource
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One row: `value` is what is compared with `limit`, as a ratio or a difference to the floor."""

    what: str
    measured: str
    floor: str
    value: float
    limit: float
    unit: str  # "x" for a ratio to the floor, else that of a difference or a rate
    at_least: bool = False  # true for rates, which must not be below the limit

    @property
    def kept(self) -> bool:
        """True when the bound is kept."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit


class Usage(msgspec.Struct, frozen=True):
    """What a command took: seconds of CPU with its children, of the clock; MiB of the largest process."""

    cpu: float
    wall: float
    memory: float


def run_command(
    arguments: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None
) -> Usage:
    """Run the command to its end, its output thrown away. The bench fails when the command does."""
    begun = time.perf_counter()
    process = subprocess.Popen(
        arguments,
        cwd=folder,
        env=os.environ | dict(environment or {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    told = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, told.decode(errors="replace")
    return Usage(used.ru_utime + used.ru_stime, time.perf_counter() - begun, used.ru_maxrss / 1024)


def best_of(rounds: int, measure: Callable[[], Usage]) -> Usage:
    """The round that took the least CPU: what is left when the machine's noise is not in the way."""
    return min((measure() for _ in range(rounds)), key=lambda usage: usage.cpu)


def cpu_of_children() -> float:
    """Seconds of CPU of all children that have been waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
