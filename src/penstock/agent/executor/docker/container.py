"""One container: processes, archives and its end, in the engine's words."""

import base64
from collections.abc import Generator, Iterable, Mapping, Sequence
from urllib.parse import quote

import msgspec

from penstock.agent.executor.base import LostPlaceError
from penstock.agent.executor.docker.engine import Engine, EngineError
from penstock.agent.executor.load import Load
from penstock.kit.shapes import read_json
from penstock.model.errors import RefusedError

_MISSING, _CONFLICT = 404, 409
_GO_FOLDER, _GO_LINK, _GO_IRREGULAR = 1 << 31, 1 << 27, 0x8FEB_0000  # io/fs: FileMode


class Stat(msgspec.Struct, frozen=True):
    """What stands at a path; `link_target` is set for links, resolved as far as it goes."""

    name: str
    size: int
    mode: int
    link_target: str = msgspec.field(default="", name="linkTarget")

    @property
    def is_folder(self) -> bool:
        """True for a folder, links not followed."""
        return bool(self.mode & _GO_FOLDER)

    @property
    def is_link(self) -> bool:
        """True for a symbolic link."""
        return bool(self.mode & _GO_LINK)

    @property
    def is_file(self) -> bool:
        """True for a plain file."""
        return not self.mode & _GO_IRREGULAR


class _Made(msgspec.Struct, frozen=True, rename="pascal"):
    id: str


class _State(msgspec.Struct, frozen=True, rename="pascal"):
    running: bool
    exit_code: int = 0


class _Inspected(msgspec.Struct, frozen=True, rename="pascal"):
    state: _State


class _Ended(msgspec.Struct, frozen=True, rename="pascal"):
    exit_code: int | None = None


class _Spent(msgspec.Struct, frozen=True):
    total_usage: int = 0  # nanoseconds


class _Cpu(msgspec.Struct, frozen=True):
    cpu_usage: _Spent = _Spent()


class _Memory(msgspec.Struct, frozen=True):
    usage: int = 0
    stats: Mapping[str, int] = {}


class _Stats(msgspec.Struct, frozen=True):
    cpu_stats: _Cpu = _Cpu()
    memory_stats: _Memory = _Memory()


class Container:
    """A container that was made, running or not.

    Every call raises LostPlaceError when the engine or the container is gone.
    """

    def __init__(self, engine: Engine, container: str) -> None:
        self._engine = engine
        self.id = container
        self._path = f"/containers/{container}"

    def start(self) -> None:
        """The main process runs. Raises EngineError when it cannot be started."""
        self._engine.tell("POST", f"{self._path}/start")

    def find_exit(self) -> int | None:
        """The exit code of the main process; None while it runs."""
        try:
            state = self._engine.ask(_Inspected, f"{self._path}/json").state
        except EngineError as error:
            raise LostPlaceError(f"the container of the job is gone: {error}") from error
        return None if state.running else state.exit_code

    def read_log(self) -> str:
        """The last lines its main process wrote, to show what went wrong."""
        query = {"stdout": 1, "stderr": 1, "tail": 20}
        try:
            frames = self._engine.tell("GET", f"{self._path}/logs", query)
        except EngineError:
            return ""
        return join_frames(frames).decode(errors="replace").strip()

    def read_load(self) -> Load:
        """What its processes use; files that were read and can be read again are not in use."""
        query = {"stream": "false", "one-shot": "true"}
        try:
            stats = self._engine.ask(_Stats, f"{self._path}/stats", query)
        except EngineError as error:
            raise LostPlaceError(f"the container of the job is gone: {error}") from error
        except msgspec.DecodeError as error:  # nothing at all, when it ends at that moment
            raise LostPlaceError("the container of the job tells nothing of its load") from error
        memory = stats.memory_stats
        cached = memory.stats.get("inactive_file", memory.stats.get("total_inactive_file", 0))
        return Load(stats.cpu_stats.cpu_usage.total_usage / 1e9, max(memory.usage - cached, 0))

    def execute(self, argv: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start a process and return once it runs."""
        body = {"Cmd": list(argv), "Env": [f"{name}={text}" for name, text in environment.items()]}
        made = self._ask_exec(body)
        self._heed(f"/exec/{made}/start", {"Detach": True})

    def finish(self, argv: Sequence[str]) -> int:
        """Run a process as root to its end; returns its exit code."""
        made = self._ask_exec({"Cmd": list(argv), "User": "0", "AttachStdout": True})
        self._heed(f"/exec/{made}/start", {"Detach": False})
        try:
            code = self._engine.ask(_Ended, f"/exec/{made}/json").exit_code
        except EngineError as error:
            raise LostPlaceError(str(error)) from error
        return 0 if code is None else code

    def _ask_exec(self, body: Mapping[str, object]) -> str:
        try:
            return self._engine.ask(_Made, f"{self._path}/exec", body=body).id
        except EngineError as error:
            raise self._translate(error) from error

    def _heed(self, path: str, body: Mapping[str, object]) -> None:
        try:
            self._engine.tell("POST", path, body=body)
        except EngineError as error:
            raise self._translate(error) from error

    def _translate(self, error: EngineError) -> LostPlaceError | RefusedError:
        if error.status in {_MISSING, _CONFLICT}:
            return LostPlaceError(f"the container of the job is gone: {error}")
        return RefusedError(f"the Docker engine refused: {error}")

    # Files.

    def stat(self, path: str) -> Stat | None:
        """What stands at the path, a link as a link; None when nothing does."""
        try:
            with self._engine.open("HEAD", f"{self._path}/archive", {"path": path}) as response:
                told = response.headers["X-Docker-Container-Path-Stat"]
        except EngineError as error:
            # A HEAD has no body, so a container that is gone looks like a path that is not there.
            if error.status == _MISSING:
                self.find_exit()
                return None
            raise RefusedError(f"cannot look at {path}: {error}") from error
        return read_json(base64.b64decode(told), Stat)

    def fetch(self, path: str) -> Generator[bytes, None, None]:
        """A tar stream of what stands at the path; the engine locks the container until it is closed."""
        try:
            yield from self._engine.read(f"{self._path}/archive", {"path": path})
        except EngineError as error:
            raise self._explain(error, f"cannot read {path}") from error

    def put(self, chunks: Iterable[bytes]) -> None:
        """Lay a tar stream out at the root; existing files are replaced."""
        target = f"{self._path}/archive"
        headers = {"Content-Type": "application/x-tar"}
        query = {"path": "/"}
        try:
            with self._engine.open("PUT", target, query, headers=headers, chunks=chunks) as response:
                response.read()
        except EngineError as error:
            raise self._explain(error, "cannot write") from error

    def _explain(self, error: EngineError, doing: str) -> RefusedError | LostPlaceError:
        if "No such container" in str(error):
            return LostPlaceError(f"the container of the job is gone: {error}")
        return RefusedError(f"{doing}: {error}")

    # The end.

    def kill(self) -> None:
        """No process of it is alive; none was, when it is gone already."""
        try:
            self._engine.tell("POST", f"{self._path}/kill")
        except EngineError as error:
            if error.status not in {_MISSING, _CONFLICT}:
                raise

    def remove(self) -> None:
        """The container is gone, with volumes nobody named."""
        try:
            self._engine.tell("DELETE", self._path, {"force": 1, "v": 1})
        except EngineError as error:
            if error.status not in {_MISSING, _CONFLICT}:  # a conflict: somebody else removes it
                raise


def make_container(engine: Engine, body: Mapping[str, object], name: str) -> Container:
    """A new container, not yet started. Raises EngineError when the engine refuses."""
    made = engine.ask(_Made, f"/containers/create?name={quote(name)}", body=body)
    return Container(engine, made.id)


def join_frames(data: bytes) -> bytes:
    """The content of a stream in which the engine mixes stdout and stderr: frames with a head of 8 bytes."""
    parts: list[bytes] = []
    while len(data) >= 8:  # noqa: PLR2004 - Docker API: stream format
        size = int.from_bytes(data[4:8], "big")
        parts.append(data[8 : 8 + size])
        data = data[8 + size :]
    return b"".join(parts)
