"""What the processes of a task use, read from Linux' /proc: the processes themselves and all below them."""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from penstock.plan.executor import ExecutorKind
from penstock.plan.resources import find_resources

_PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_SESSION, _TIMES, _PAGES = 3, slice(11, 15), 21  # fields of /proc/PID/stat after the command (proc(5))


class Load(msgspec.Struct, frozen=True):
    """Seconds of processors that were used so far, and bytes of memory that are in use."""

    cpu: float
    memory: int


class Grant(msgspec.Struct, frozen=True):
    """What counts as all there is: processors, and bytes of memory."""

    processors: float
    memory: int


def choose_grant(resource_class: str, kind: ExecutorKind, machine: Grant) -> Grant:
    """What a task of the class may use of the machine: all of it, when the class says nothing."""
    resources = find_resources(resource_class, kind)
    if resources is None:
        return machine
    memory = int(resources.memory * 2**30)
    return Grant(min(resources.processors, machine.processors), min(memory, machine.memory))


def measure_machine() -> Grant:
    """What this machine has for this process."""
    try:
        processors = len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        processors = os.cpu_count() or 1
    return Grant(processors, _PAGE * os.sysconf("SC_PHYS_PAGES"))


class ProcessMeter:
    """Counts what a task's processes use. `sessions` are those the agent started for it, to which it may add.

    Time of a process counts while it lives, and afterwards through its parent, which waited for it; that of
    the ones the agent itself waits for is told by `add`.
    """

    def __init__(self, marker: str, sessions: Sequence[int]) -> None:
        self._marker = marker.encode()
        self._sessions = sessions
        self._ended = 0.0

    def add(self, seconds: float) -> None:
        """A process of the task has ended after so many seconds of processors, those below it included."""
        self._ended += seconds

    def read(self) -> Load | None:
        """What was and is used; None where there is no /proc. May be called from any thread."""
        ended = self._ended  # first: what ends meanwhile is then missed for once, and never counted twice
        ticks = memory = 0
        try:
            pids = self._find_processes()
        except FileNotFoundError:
            return None
        for pid in pids:
            fields = read_stat(pid)
            if fields:
                ticks += sum(map(int, fields[_TIMES]))
                memory += measure_memory(pid, fields)
        return Load(ended + ticks / _TICKS, memory)

    def _find_processes(self) -> list[int]:
        """The task's processes: children of the agent that are its own, and all below them."""
        found = [pid for pid in list_children(os.getpid()) if self._is_ours(pid)]
        for pid in found:  # which grows meanwhile
            with suppress(OSError):
                found.extend(list_children(pid))
        return found

    def _is_ours(self, pid: int) -> bool:
        fields = read_stat(pid)
        if not fields or int(fields[_SESSION]) in self._sessions:
            return bool(fields)
        try:
            return self._marker in (_PROC / str(pid) / "environ").read_bytes()
        except OSError:
            return False


def list_children(pid: int) -> Iterator[int]:
    """The ids of a process's children, whichever thread they are booked under.

    Raises FileNotFoundError when there is no such process, or no /proc.
    """
    for name in os.listdir(_PROC / str(pid) / "task"):  # noqa: PTH208 - names, not paths
        with suppress(OSError):
            yield from map(int, (_PROC / str(pid) / "task" / name / "children").read_bytes().split())


def read_stat(pid: int) -> list[bytes]:
    """The fields of /proc/PID/stat after the command: state, parent, group, session and more; [] for none."""
    try:
        text = (_PROC / str(pid) / "stat").read_bytes()
    except OSError:
        return []
    return text[text.rfind(b")") + 2 :].split()


def measure_memory(pid: int, fields: Sequence[bytes]) -> int:
    """Bytes the process has: its own, and its share of what it shares; all of both where that is not told."""
    try:
        for line in (_PROC / str(pid) / "smaps_rollup").read_bytes().splitlines():
            if line.startswith(b"Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return int(fields[_PAGES]) * _PAGE
