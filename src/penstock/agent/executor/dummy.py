"""An executor that runs nothing and does as the job's variables say, for tests of everything around it.

DUMMY_EXIT is the exit code of every command (0), DUMMY_SECONDS how long it takes on the given clock (0),
DUMMY_OUTPUT what it writes (its command line), DUMMY_CRASH=prepare|start makes the place or the process
impossible. A command can set them for itself, because a step's variables count too.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from penstock.agent.executor.base import Entry, Kind, Member, Request, Watch
from penstock.agent.executor.files import resolve_path
from penstock.agent.executor.load import Grant, Load
from penstock.agent.reply import Answers
from penstock.model.errors import RefusedError, UnavailableError
from penstock.wire.messages import Assignment


class DummyClock:
    """Time that passes only when told to."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now = 0.0
        self._calls: list[tuple[float, Callable[[], None]]] = []

    def call_after(self, seconds: float, call: Callable[[], None]) -> None:
        """Make the call once so many seconds have passed; at once for none."""
        if seconds <= 0:
            call()
            return
        with self._lock:
            self._calls.append((self._now + seconds, call))

    def advance(self, seconds: float) -> int:
        """Let time pass; returns how many calls were due."""
        with self._lock:
            self._now += seconds
            due = [call for at, call in self._calls if at <= self._now]
            self._calls = [entry for entry in self._calls if entry[0] > self._now]
        for call in due:
            call()
        return len(due)


class DummyProcess:
    """A process that is only a promise of an exit code."""

    def __init__(self, exit_code: int, text: bytes) -> None:
        self.output, self._writer = os.pipe()
        ended, self._end = os.pipe()
        self.ended: int | None = ended
        self._lock = threading.Lock()
        self._exit_code = exit_code
        self._over = False
        os.set_blocking(self.output, False)
        os.write(self._writer, text[:65536])

    def finish(self, exit_code: int | None = None) -> None:
        """The process ends, with its own exit code unless another is given."""
        with self._lock:
            if not self._over:
                self._exit_code = self._exit_code if exit_code is None else exit_code
                self._over = True
                os.close(self._writer)
                os.close(self._end)

    def poll(self) -> int | None:
        """The exit code once ended."""
        return self._exit_code if self._over else None

    def signal(self, number: int) -> bool:
        """SIGTERM and SIGKILL end it; false when it has ended."""
        alive = not self._over
        if number in {signal.SIGTERM, signal.SIGKILL}:
            self.finish(128 + number)
        return alive

    def close(self) -> None:
        """Give the watch descriptor back."""
        if self.ended is not None:
            os.close(self.ended)
            self.ended = None


class DummyPlace:
    """A place whose files are in memory."""

    def __init__(self, clock: DummyClock) -> None:
        self._clock = clock
        self._files: dict[str, bytes] = {}
        self._processes: list[DummyProcess] = []
        self.variables: Mapping[str, str] = {"HOME": "/home/dummy", "PATH": "/bin"}
        self.home = "/home/dummy"
        self.control = "/control"
        self.has_git = True
        self.grant = Grant(1, 1)

    def read_load(self) -> Load | None:
        """Nothing is used."""
        return None

    def default_shell(self) -> tuple[str, ...]:
        """What would be used."""
        return ("/bin/sh", "-e")

    def start(self, request: Request) -> DummyProcess:
        """A process that obeys the variables."""
        wishes = request.environment
        if wishes.get("DUMMY_CRASH") == "start":
            raise RefusedError(f"cannot run {request.argv[0]}: DUMMY_CRASH")
        text = wishes.get("DUMMY_OUTPUT", " ".join(request.argv) + "\n")
        process = DummyProcess(int(wishes.get("DUMMY_EXIT", "0")), text.encode())
        self._processes.append(process)
        self._clock.call_after(float(wishes.get("DUMMY_SECONDS", "0")), process.finish)
        return process

    def resolve(self, path: str, base: str) -> str:
        """The absolute path."""
        return resolve_path(path, base, self.home)

    def lend(self, path: str) -> str:
        """The path."""
        return path

    def find_kind(self, path: str) -> Kind | None:
        """Files that were written are files; other paths are folders, but the agent's own do not exist."""
        if path in self._files:
            return Kind.FILE
        return None if path.startswith(self.control) else Kind.FOLDER

    def make_folder(self, path: str) -> None:
        """Every folder exists."""

    def read(self, path: str) -> Iterator[bytes]:
        """What was written."""
        if path not in self._files:
            raise RefusedError(f"cannot read {path}: no such file")
        yield self._files[path]

    def write(self, path: str, data: bytes) -> None:
        """Remember the content."""
        self._files[path] = data

    def measure(self, path: str) -> int:
        """The size of what was written."""
        return len(self._files.get(path, b""))

    def walk(self, path: str) -> Iterator[Entry]:
        """The files written below."""
        for name, data in sorted(self._files.items()):
            if name.startswith(path + "/"):
                yield Entry(name=name.removeprefix(path + "/"), path=name, size=len(data))

    def match(self, base: str, pattern: str) -> list[str]:
        """A pattern matches only itself."""
        return [pattern] if f"{base}/{pattern}" in self._files else []

    def pack(self, members: Sequence[Member]) -> Iterator[bytes]:
        """The names of the members."""
        yield "\n".join(member.name for member in members).encode()

    def unpack(
        self, chunks: Iterable[bytes], roots: Mapping[str, str], accept: Callable[[str], None] | None = None
    ) -> int:
        """Take the names in."""
        names = b"".join(chunks).decode().split("\n")
        for name in names:
            if accept is not None:
                accept(name)
            self._files[f"{next(iter(roots.values()))}/{name}"] = b""
        return len(names)

    def list_troubles(self) -> list[str]:
        """None."""
        return []

    def serve(self, answers: Answers) -> None:
        """No process is real, so none asks."""

    def end_processes(self) -> None:
        """Every promise is kept."""
        for process in self._processes:
            process.finish(128 + signal.SIGKILL)
        self._processes.clear()

    def remove(self) -> None:
        """The files are forgotten."""
        self._files.clear()


class DummyExecutor:
    """Offers places that run nothing; time passes by the clock."""

    def __init__(self, clock: DummyClock | None = None) -> None:
        self.clock = clock or DummyClock()

    def prepare(self, assignment: Assignment, watch: Watch) -> DummyPlace:  # noqa: ARG002 - takes no time
        """A place, unless the job's variables say that the machine cannot offer one."""
        if assignment.plan.environment.get("DUMMY_CRASH") == "prepare":
            raise UnavailableError("the machine cannot offer a place: DUMMY_CRASH")
        return DummyPlace(self.clock)

    def close(self) -> None:
        """Nothing is left."""
