"""The contract of executors: a place for one task, processes started in it, and its files.

Life of a place, in phases:

    prepare ── start … start ── end_processes ── remove
                 files at any time until end_processes

- `Executor.prepare` may be called from several threads at once and makes a place nobody else uses.
- A place is used by one thread at a time, that of its task; only `read_load` may be called from others.
  Several processes may run in it at once.
- `end_processes` and `remove` may be called more than once, in this order, also after a failed `prepare`.

A process goes request -> running -> outcome: `Request` says what to start, `Running` is watched and
signalled, the exit code is the outcome.

Paths given to a place are absolute inside it; `resolve` makes them so. Refusals are `RefusedError`s with
a sentence for the log of the step; trouble with the machine is an OSError or `UnavailableError`. A
`LostPlaceError` says that the place is gone and nothing more can run in it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Protocol

import msgspec

from penstock.agent.executor.load import Grant, Load
from penstock.agent.reply import Answers
from penstock.model.errors import PenstockError
from penstock.wire.messages import Assignment


class LostPlaceError(PenstockError):
    """The place, or what offers it, is gone in the middle of a task."""


class Request(msgspec.Struct, frozen=True):
    """A process to start: complete environment above the place's own, absolute working directory."""

    argv: tuple[str, ...]
    environment: Mapping[str, str]
    directory: str


class Running(Protocol):
    """A started process and everything it starts in turn."""

    @property
    def output(self) -> int:
        """A non-blocking descriptor with what the process writes to stdout and stderr, in order.

        It belongs to the caller, who closes it. It may stay open after the process has ended, when a
        child has it, and may end before.
        """
        ...

    @property
    def ended(self) -> int | None:
        """A descriptor that is readable once the process has ended; None where the system has none."""
        ...

    def poll(self) -> int | None:
        """The exit code once the process has ended, 128 + n after signal n; None before."""
        ...

    def signal(self, number: int) -> bool:
        """Send a signal to the process and its group; false when nobody is left to receive it."""
        ...

    def close(self) -> None:
        """Give up what watching it takes, `output` excepted. The process may still run."""
        ...


class Kind(Enum):
    """What stands at a path, links followed."""

    FILE = "file"
    FOLDER = "folder"
    OTHER = "other"


class Entry(msgspec.Struct, frozen=True):
    """A file found by `walk`: its path below the start, with `/`, and its size in bytes."""

    name: str
    path: str
    size: int


class Member(msgspec.Struct, frozen=True):
    """A file or folder to pack: its name in the archive and where it is."""

    name: str
    path: str


class Place(Protocol):
    """Where one task runs."""

    @property
    def variables(self) -> Mapping[str, str]:
        """The variables that depend on the place: HOME, PATH, TMPDIR, BASH_ENV and what passes through."""
        ...

    @property
    def home(self) -> str:
        """What `~` stands for."""
        ...

    @property
    def control(self) -> str:
        """A folder for files between the agent and the in-job commands."""
        ...

    @property
    def has_git(self) -> bool:
        """Whether git can be run in the place."""
        ...

    @property
    def grant(self) -> Grant:
        """What counts as all of the processors and the memory the task may use."""
        ...

    def read_load(self) -> Load | None:
        """What the task uses now, None when that cannot be told. May be called from any thread."""
        ...

    def default_shell(self) -> tuple[str, ...]:
        """The command line of the shell for steps that name none (CircleCI docs: default shell options)."""
        ...

    def start(self, request: Request) -> Running:
        """Start a process. Raises RefusedError when the program or its directory does not exist."""
        ...

    def resolve(self, path: str, base: str) -> str:
        """The absolute path: `~` stands for home, a relative path begins at base; nothing else expands."""
        ...

    def lend(self, path: str) -> str:
        """Where a folder of the agent's machine that belongs to the task is seen in the place."""
        ...

    def find_kind(self, path: str) -> Kind | None:
        """What is at the path, None when nothing is."""
        ...

    def make_folder(self, path: str) -> None:
        """The folder and those above it exist. Raises RefusedError when a file is in the way."""
        ...

    def read(self, path: str) -> Iterator[bytes]:
        """The content of a file, in pieces of bounded size."""
        ...

    def write(self, path: str, data: bytes) -> None:
        """The file, directly below `control`, has exactly this content."""
        ...

    def measure(self, path: str) -> int:
        """The size of a file in bytes."""
        ...

    def walk(self, path: str) -> Iterator[Entry]:
        """Every file below a folder, sorted, links followed but no folder entered twice on one way down."""
        ...

    def match(self, base: str, pattern: str) -> list[str]:
        """Sorted paths relative to base that match; `*` and `?` stop at `/`, `**` does not."""
        ...

    def pack(self, members: Sequence[Member]) -> Iterator[bytes]:
        """A tar stream of the members and all below them: permissions, times, links as links.

        It is used up or closed before anything else is asked of the place.
        """
        ...

    def unpack(
        self, chunks: Iterable[bytes], roots: Mapping[str, str], accept: Callable[[str], None] | None = None
    ) -> int:
        """Lay a tar stream into folders and return the number of entries.

        The first part of an entry's name is a key of `roots`, the folder it goes to; with the single key
        "" the whole name is used. Existing files are replaced, not written through. `accept` sees the
        name of every entry that is no folder before it is written and may raise RefusedError. A name
        that leads out of its root raises RefusedError.
        """
        ...

    def list_troubles(self) -> list[str]:
        """What went wrong beside the steps since this was last asked, for the user to read."""
        ...

    def serve(self, answers: Answers) -> None:
        """From now on in-job commands that ask something get these answers; called once.

        Only the task of an assignment that `continues` may ask to: its place has a `curl` that uses it.
        """
        ...

    def end_processes(self) -> None:
        """No process of the task is alive, however far it went."""
        ...

    def remove(self) -> None:
        """Nothing is left of the place."""
        ...


class Watch(Protocol):
    """Who looks on while a place is prepared."""

    def say(self, text: str) -> None:
        """Tell the user what is going on, a line at a time."""
        ...

    def breathe(self) -> None:
        """To be called often by long work; raises PenstockError when it must end."""
        ...


class Executor(Protocol):
    """Offers places."""

    def prepare(self, assignment: Assignment, watch: Watch) -> Place:
        """A place for the task. Raises UnavailableError when the machine cannot offer one now."""
        ...

    def close(self) -> None:
        """Nothing is left of the executor; every place was removed before."""
        ...
