"""Processes of a task: started in their own session, found again wherever they went, and ended.

A task's processes carry its marker variable in their environment. With the agent as subreaper (Linux),
orphans become its children, so that having no unknown child proves that nothing is left without a scan
of the process table.
"""

import ctypes
import fcntl
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from penstock.agent.executor.base import Request
from penstock.agent.executor.load import ProcessMeter
from penstock.kit import children
from penstock.model.errors import RefusedError

_PROC = Path("/proc")
_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
_PIPE = 1 << 20  # what Linux grants without privileges; fewer, larger reads
_DEPTH = 100  # levels of the process tree that are looked at
_CALM = 3  # looks without a finding: a process in the middle of an exec shows no environment
_PATIENCE = 5.0  # seconds until a process that survives SIGKILL (stuck in the kernel) is given up


def become_subreaper() -> bool:
    """Orphans of this process's descendants become its children; false where the system cannot do it."""
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    return bool(libc.prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)


class ChildProcess:
    """A running process with its output pipe; it leads a session and a group of its own."""

    def __init__(
        self,
        process: "subprocess.Popen[bytes]",
        output: int,
        family: "Family",
        meter: ProcessMeter | None = None,
    ) -> None:
        self._process = process
        self._family = family
        self._meter = meter
        self.output = output
        self.ended = _open_pidfd(process.pid)

    @property
    def pid(self) -> int:
        """The process id, which is also that of its session and group."""
        return self._process.pid

    def poll(self) -> int | None:
        """The exit code once the process has ended, 128 + n after signal n; None before."""
        if self._process.returncode is not None:
            code: int | None = self._process.returncode
        else:
            code = self._family.reap(self._process, self._meter)
        if code is None:
            return None
        return code if code >= 0 else 128 - code

    def signal(self, number: int) -> bool:
        """Send a signal to the group; false when the group is empty."""
        if self._process.returncode is not None:
            self._family.reap_group(self.pid)
        try:
            os.killpg(self.pid, number)
        except (ProcessLookupError, PermissionError):
            return False
        return True

    def close(self) -> None:
        """Give the watch descriptor back."""
        if self.ended is not None:
            os.close(self.ended)
            self.ended = None


class Family:
    """The children of this process that agents started: which are known, which were adopted as orphans."""

    def __init__(self, *, adopts: bool) -> None:
        self._adopts = adopts
        self._lock = children.LOCK
        self._known = children.KNOWN
        self._tasks = 0
        self._session = os.getsid(0)

    def start(self, request: Request, meter: ProcessMeter | None = None) -> ChildProcess:
        """Start the process. Raises RefusedError when it cannot be, with a sentence that says why.

        The meter hears what it has used once it has ended.
        """
        reader, writer = os.pipe()
        try:
            _widen(reader)
            # The lock keeps `reap_orphans` from taking the exit code of a child nobody knows yet.
            with self._lock:
                process = subprocess.Popen(
                    request.argv,
                    stdin=subprocess.DEVNULL,
                    stdout=writer,
                    stderr=writer,
                    env=request.environment,
                    cwd=request.directory,
                    start_new_session=True,
                )
                self._known.add(process.pid)
        except BaseException as error:
            os.close(reader)
            if isinstance(error, OSError | ValueError):
                raise RefusedError(_explain(error, request)) from error
            raise
        finally:
            os.close(writer)
        return ChildProcess(process, reader, self, meter)

    def adopt(self, process: "subprocess.Popen[bytes]") -> None:
        """Count a process that was started elsewhere as known."""
        with self._lock:
            self._known.add(process.pid)

    def forget(self, pid: int) -> None:
        """The process was waited for; its id may be given to another."""
        with self._lock:
            self._known.discard(pid)

    def reap(self, process: "subprocess.Popen[bytes]", meter: ProcessMeter | None) -> int | None:
        """The exit code of the process, which is waited for if it has ended: its id may be another's then.

        None before. What children have used grows at that moment by what it used.
        """
        with self._lock:
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            code = process.poll()
            if code is None:
                return None
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            self._known.discard(process.pid)
        if meter is not None:
            meter.add(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        return code

    def reap_group(self, group: int) -> None:
        """No ended orphan counts as a member of the group any more; its leader must have been waited for."""
        with self._lock, suppress(ChildProcessError):
            while group not in self._known and os.waitpid(-group, os.WNOHANG)[0]:
                pass

    def begin_task(self) -> None:
        """A task may start processes from now on."""
        with self._lock:
            self._tasks += 1

    def end_task(self, marker: str, sessions: Iterable[int]) -> None:
        """No process is alive that carries the marker or is in one of the sessions.

        A daemon that has shed both cannot be told from those of other tasks; it is ended, as an orphan,
        by the first task that ends alone.
        """
        with self._lock:
            self._tasks -= 1
            alone = self._tasks == 0
        needle, own = marker.encode(), frozenset(sessions)
        deadline = time.monotonic() + _PATIENCE
        calm = 0
        while calm < _CALM and time.monotonic() < deadline:
            orphans = self._orphans() if self._adopts else []
            if self._adopts and not orphans and not any(_is_alive(sid) for sid in own):
                return
            found = [pid for pid in _list_processes() if _belongs(pid, needle, own)]
            if not _PROC.is_dir():  # not Linux: groups are all we know
                _kill_groups(own)
                return
            if alone and not found:
                found = orphans
            self._kill(found)
            calm = 0 if found else calm + 1
            time.sleep(0.003)  # SIGKILL is asynchronous; there is no descriptor for processes of others

    def _kill(self, pids: Iterable[int]) -> None:
        for pid in pids:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        self._reap_orphans()

    def _orphans(self) -> list[int]:
        """Children nobody here started and that are in foreign sessions: adopted ones."""
        self._reap_orphans()
        with self._lock:
            return [pid for pid in _list_children() if self._is_adopted(pid)]

    def _reap_orphans(self) -> None:
        if not self._adopts:
            return
        with self._lock:
            for pid in _list_children():
                if self._is_adopted(pid):
                    with suppress(ChildProcessError):
                        os.waitpid(pid, os.WNOHANG)

    def _is_adopted(self, pid: int) -> bool:
        # A child in our own session belongs to other code of this process, which waits for it itself.
        return pid not in self._known and _session_of(pid) not in {self._session, None}


def _kill_groups(groups: Iterable[int]) -> None:
    for group in groups:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


def _is_descendant(pid: int) -> bool:
    """True when the process is below this one; guards against ids that were given away again."""
    for _ in range(_DEPTH):
        fields = _stat_of(pid)
        if not fields:
            return False
        pid = int(fields[1])
        if pid == os.getpid():
            return True
    return False


def _belongs(pid: int, needle: bytes, sessions: frozenset[int]) -> bool:
    if _session_of(pid) in sessions and _is_descendant(pid):
        return _is_alive(pid)
    try:
        return needle in (_PROC / str(pid) / "environ").read_bytes() and _is_alive(pid)
    except OSError:
        return False


def _stat_of(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the command: state, parent, group, session and more."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return []
    return text[text.rfind(")") + 2 :].split()


def _session_of(pid: int) -> int | None:
    fields = _stat_of(pid)
    return int(fields[3]) if fields else None


def _is_alive(pid: int) -> bool:
    fields = _stat_of(pid)
    return bool(fields) and fields[0] not in "ZX"


def _list_processes() -> list[int]:
    try:
        return [int(name) for name in os.listdir(_PROC) if name.isdigit() and int(name) != os.getpid()]  # noqa: PTH208 - names, not paths
    except FileNotFoundError:
        return []


def _list_children() -> list[int]:
    """The ids of this process's children, whichever thread they are booked under."""
    children: list[int] = []
    for folder in (_PROC / "self/task").iterdir():
        with suppress(OSError):
            children += map(int, (folder / "children").read_bytes().split())
    return children


def _open_pidfd(pid: int) -> int | None:
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None


def _widen(reader: int) -> None:
    os.set_blocking(reader, False)
    with suppress(OSError, AttributeError):  # above the user's share of pipe memory, or not Linux
        fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, _PIPE)


def _explain(error: OSError | ValueError, request: Request) -> str:
    if isinstance(error, ValueError):  # what Popen says about zero bytes and names with `=`
        return f"cannot run {request.argv[0]}: the command or a variable is malformed ({error})"
    if not Path(request.directory).is_dir():
        return f"the working directory {request.directory} does not exist"
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return f"cannot run {request.argv[0]}: there is no such program"
    return f"cannot run {request.argv[0]}: {error.strerror}"
