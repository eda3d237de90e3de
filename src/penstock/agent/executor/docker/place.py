"""The containers of one task as a place: processes and files of the first, the others beside it."""

import os
import re
import select
import shlex
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from itertools import count
from pathlib import PurePosixPath
from weakref import WeakSet

import msgspec

from penstock.agent.executor import files
from penstock.agent.executor.base import Entry, Kind, LostPlaceError, Member, Request
from penstock.agent.executor.docker.answers import AnswerService, Lookup
from penstock.agent.executor.docker.container import Container, Stat
from penstock.agent.executor.docker.containers import COMMANDS, CONTROL
from penstock.agent.executor.docker.control import ControlFolder
from penstock.agent.executor.docker.engine import EngineError
from penstock.agent.executor.docker.listing import Listed, match_names, read_listing
from penstock.agent.executor.docker.memory import MemoryFiles
from penstock.agent.executor.docker.process import ContainerProcess, drop_pipes, make_pipes
from penstock.agent.executor.docker.tars import Layout, end_stream, read_single, rename_members
from penstock.agent.executor.load import Grant, Load
from penstock.agent.executor.removal import remove_tree
from penstock.agent.reply import Answers
from penstock.model.errors import RefusedError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")  # what a shell can export
_LINKS = 40  # as many as Linux follows
_QUIET = 60.0  # seconds a small command of ours may be silent


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """What a container said of itself."""

    home: str
    owner: tuple[int, int]
    shell: tuple[str, ...]
    has_git: bool = False
    has_ssh: bool = False
    starts: bool = False  # its main process starts others, ten times as fast as the engine
    memory: tuple[str, ...] = ()  # where file systems begin that only its processes see, not the engine


class DockerPlace:
    """The containers of one task: services by what the user calls them.

    `lent` says where folders of this machine are seen inside.
    """

    def __init__(
        self,
        primary: Container,
        services: Mapping[str, Container],
        control: ControlFolder,
        ground: Ground,
        variables: Mapping[str, str],
        lent: Mapping[str, str],
        grant: Grant,
    ) -> None:
        self._containers = (primary, *services.values())
        self._primary = primary
        self._services = dict(services)  # those of whose end nobody was told
        self._running: WeakSet[ContainerProcess] = WeakSet()
        self._lost = ""
        self._control = control
        self._ground = ground
        self._lent = lent
        self._answers = AnswerService(
            control, Lookup(self._measure_or_zero, lambda path: b"".join(self.read(path)))
        )
        self._numbers = count()
        self._memory = MemoryFiles(self._run, control)
        self._over = False
        self._gone = False
        self.variables = variables
        self.home = ground.home
        self.control = CONTROL
        self.has_git = ground.has_git
        self.grant = grant

    def default_shell(self) -> tuple[str, ...]:
        """The shell the image has (CircleCI docs: default shell options)."""
        return self._ground.shell

    def read_load(self) -> Load | None:
        """What all containers of the task use together, None when one does not tell."""
        loads = [container.read_load() for container in self._containers]
        return Load(sum(each.cpu for each in loads), sum(each.memory for each in loads))

    def lend(self, path: str) -> str:
        """Where a folder of this machine is seen inside, the path itself when it is not."""
        return self._lent.get(path, path)

    # Processes.

    def start(self, request: Request) -> ContainerProcess:
        """Start the process, with the in-job commands first on its PATH."""
        if self._over or self._lost:
            raise LostPlaceError(self._lost or "the container of the job has ended")
        environment = {**self.variables, **request.environment, "PWD": request.directory}
        environment["PENSTOCK_CONTROL"] = CONTROL
        if not environment["PATH"].startswith(COMMANDS):
            environment["PATH"] = f"{COMMANDS}:{environment['PATH']}"
        number = next(self._numbers)
        pipes = make_pipes(self._control, number)
        process = ContainerProcess(pipes, self._send, self._is_alive)
        self._running.add(process)
        try:
            self._launch(number, request, environment)
            process.await_start(request)
        except BaseException:
            os.close(process.output)
            process.close()
            raise
        finally:
            drop_pipes(self._control, number)
            self._control.drop(f"start-{number}")
        return process

    def _launch(self, number: int, request: Request, environment: Mapping[str, str]) -> None:
        """Have `launch.sh` started, by the main process if it does such things, else by the engine."""
        launch = ("/bin/sh", f"{COMMANDS}/launch.sh", str(number), request.directory, *request.argv)
        if not self._ground.starts or not all(map(_NAME.fullmatch, environment)):
            self._primary.execute(launch, environment)
            return
        exports = [f"export {name}={shlex.quote(text)}\n" for name, text in environment.items()]
        script = "".join(exports) + f"exec {shlex.join(launch)}\n"
        self._control.write(f"start-{number}", os.fsencode(script))
        self._control.tell("hold", str(number))

    def _send(self, number: int, group: int) -> bool:
        return self._primary.finish(("/bin/sh", "-c", f"kill -{number} -{group} 2>/dev/null")) == 0

    def lose(self, message: str) -> None:
        """The engine is gone: whoever waits for a process gets to know. May be called from any thread."""
        self._lost = message
        for process in list(self._running):
            process.wake()

    def list_troubles(self) -> list[str]:
        """Services that have ended, each told once, with the last lines they wrote."""
        troubles = []
        with suppress(LostPlaceError):  # that is told elsewhere
            for service, container in list(self._services.items()):
                if (code := container.find_exit()) is not None:
                    del self._services[service]
                    said = container.read_log()
                    troubles.append(
                        f"The service {service} ended with exit status {code}"
                        + (f":\n{said}" if said else "")
                    )
        return troubles

    def _is_alive(self) -> bool:
        """False once the task has ended here; raises LostPlaceError when the container ended by itself."""
        if self._over:
            return False
        if self._lost:
            raise LostPlaceError(self._lost)
        code = self._primary.find_exit()
        if code is not None:
            raise LostPlaceError(f"the main process of the job's container ended with exit status {code}")
        return True

    # Files.

    def resolve(self, path: str, base: str) -> str:
        """The absolute, normal path; `~` is the home of the image's user."""
        return files.resolve_path(path, base, self.home)

    def find_kind(self, path: str) -> Kind | None:
        """What is at the path, None when nothing is."""
        if name := _shared_name(path):
            return Kind.FILE if self._control.has(name) else None
        if self._is_in_memory(path):
            return self._memory.find_kind(path)
        found = self._follow(path)
        if found is None:
            return None
        return Kind.FOLDER if found[1].is_folder else Kind.FILE if found[1].is_file else Kind.OTHER

    def make_folder(self, path: str) -> None:
        """The folder and those above it exist."""
        match self.find_kind(path):
            case Kind.FOLDER:
                return
            case None if self._is_in_memory(path):
                self._memory.make_folder(path)
            case None:
                layout = self._layout({})
                self._primary.put([*layout.make_folders(layout.find_way(path)), end_stream()])
            case _:
                raise RefusedError(f"cannot make the folder {path}: File exists")

    def read(self, path: str) -> Iterator[bytes]:
        """The content in pieces of a mebibyte."""
        if name := _shared_name(path):
            yield self._control.read(name)
            return
        if self._is_in_memory(path):
            yield self._memory.read(path)
            return
        found = self._follow(path)
        if found is None or not found[1].is_file:
            raise RefusedError(f"cannot read {path}: {'No such file' if found is None else 'not a file'}")
        with closing(self._primary.fetch(found[0])) as chunks:
            yield from read_single(chunks)

    def write(self, path: str, data: bytes) -> None:
        """The file in the control folder has exactly this content."""
        name = _shared_name(path)
        if not name:
            raise RefusedError(f"cannot write {path}: only files of the control folder are written")
        self._control.write(name, data)

    def measure(self, path: str) -> int:
        """The size of a file in bytes."""
        if name := _shared_name(path):
            return len(self._control.read(name))
        if self._is_in_memory(path):
            return len(self._memory.read(path))
        found = self._follow(path)
        if found is None:
            raise RefusedError(f"cannot read {path}: No such file")
        return found[1].size

    def _measure_or_zero(self, path: str) -> int:
        found = self._follow(path)
        return found[1].size if found is not None else 0

    def walk(self, path: str) -> Iterator[Entry]:
        """Every file below the folder, links followed, sorted."""
        for listed in sorted(self._list(path, "follow"), key=lambda each: each.name.split("/")):
            if listed.is_file:
                full = f"{path.rstrip('/')}/{listed.name}"
                yield Entry(name=listed.name, path=full, size=self.measure(full))

    def match(self, base: str, pattern: str) -> list[str]:
        """Sorted matches relative to base."""
        if not any(character in pattern for character in "*?["):
            path = self.resolve(pattern, base)
            is_there = self._is_in_memory(path) or self._primary.stat(path) is not None
            return [pattern] if is_there else []
        fixed = "/".join(files.find_fixed(pattern))
        top = f"{base.rstrip('/')}/{fixed}".rstrip("/") or "/"
        if self.find_kind(top) is not Kind.FOLDER:
            return []
        prefix = f"{fixed}/" if fixed else ""
        found = match_names(self._list(top, ""), pattern.removeprefix(prefix))
        return sorted(prefix + name for name in found)

    def pack(self, members: Sequence[Member]) -> Iterator[bytes]:
        """A tar stream of the members."""
        for member in members:
            self._check_visible(member.path)
            top = PurePosixPath(member.path).name
            with closing(self._primary.fetch(member.path)) as chunks:
                yield from rename_members(chunks, top, member.name)
        yield end_stream()

    def unpack(
        self, chunks: Iterable[bytes], roots: Mapping[str, str], accept: Callable[[str], None] | None = None
    ) -> int:
        """Lay a tar stream into the roots, owned by the image's user."""
        for root in roots.values():
            self._check_visible(root)
        layout = self._layout(roots)
        layout.open(chunks, accept)
        while layout.advance():
            self._primary.put(layout.stream())
        return layout.count

    def _is_in_memory(self, path: str) -> bool:
        return any(path == mount or path.startswith(f"{mount}/") for mount in self._ground.memory)

    def _check_visible(self, path: str) -> None:
        if self._is_in_memory(path):
            raise RefusedError(f"{path} is in the container's memory, which the engine does not see")

    def _layout(self, roots: Mapping[str, str]) -> Layout:
        return Layout(roots, self._ground.owner, lambda path: self.find_kind(path) is Kind.FOLDER)

    def _follow(self, path: str) -> tuple[str, Stat] | None:
        """Where links lead and what stands there; None when nothing does."""
        for _ in range(_LINKS):
            stat = self._primary.stat(path)
            if stat is None or not stat.is_link:
                return None if stat is None else (path, stat)
            path = files.resolve_path(stat.link_target, str(PurePosixPath(path).parent), self.home)
        return None

    def _list(self, folder: str, follow: str) -> list[Listed]:
        argv = ("/bin/sh", f"{COMMANDS}/list.sh", folder, follow)
        return read_listing(self._run(argv), folder)

    def _run(self, argv: tuple[str, ...]) -> bytes:
        """What a small command of ours prints."""
        process = self.start(Request(argv=argv, environment={}, directory="/"))
        parts: list[bytes] = []
        until = time.monotonic() + _QUIET
        try:
            while (ended := process.poll() is not None) or time.monotonic() < until:
                if select.select([process.output], [], [], 0 if ended else 0.05)[0]:
                    parts.append(os.read(process.output, 1 << 20))
                    until = time.monotonic() + _QUIET
                    if parts[-1]:
                        continue
                if ended:
                    return b"".join(parts)
            raise LostPlaceError("the container does not answer")
        finally:
            os.close(process.output)
            process.close()

    # The end.

    def serve(self, answers: Answers) -> None:
        """The containers' commands that ask something are answered so."""
        self._answers.replies = answers

    def end_processes(self) -> None:
        """The containers are dead, services last."""
        if self._over:
            return
        self._over = True
        for container in self._containers:
            with suppress(LostPlaceError, EngineError):  # an engine that is gone: the next start cleans up
                container.kill()
        self._control.let_go()  # what ends the container also when no engine answers

    def remove(self) -> None:
        """The containers are gone, and the folder they shared with this machine."""
        if self._gone:
            return
        self._gone = True
        self._over = True
        self._answers.close()
        for container in reversed(self._containers):
            with suppress(LostPlaceError, EngineError):
                container.remove()
        self._control.close()
        remove_tree(self._control.path.parent)


def _shared_name(path: str) -> str:
    """The name of a file in the control folder; empty for any other path."""
    folder, _, name = path.rpartition("/")
    return name if folder == CONTROL else ""
