"""Files of a container that the engine does not see: those of file systems in memory, as `/dev/shm`."""

from collections.abc import Callable
from itertools import count

from penstock.agent.executor.base import Kind
from penstock.agent.executor.docker.containers import CONTROL
from penstock.agent.executor.docker.control import ControlFolder
from penstock.model.errors import RefusedError

_FIND = '[ -f "$1" ] && echo file || { [ -d "$1" ] && echo folder; } || { [ -e "$1" ] && echo other; }'


class MemoryFiles:
    """Small processes look at these files and copy them out; `run` returns what one prints."""

    def __init__(self, run: Callable[[tuple[str, ...]], bytes], control: ControlFolder) -> None:
        self._run = run
        self._control = control
        self._numbers = count()

    def find_kind(self, path: str) -> Kind | None:
        """What is at the path, None when nothing is."""
        told = self._call(_FIND, path)
        return Kind(told) if told else None

    def read(self, path: str) -> bytes:
        """The content of a file, which must not be very large."""
        name = f"copy-{next(self._numbers)}"
        try:
            told = self._call('cat "$1" >"$2" && echo read', path, f"{CONTROL}/{name}")
            if told != "read":
                raise RefusedError(f"cannot read {path}: {told}")
            return self._control.read(name)
        finally:
            self._control.drop(name)

    def make_folder(self, path: str) -> None:
        """The folder and those above it exist."""
        if told := self._call('mkdir -p "$1"', path):
            raise RefusedError(f"cannot make the folder {path}: {told}")

    def _call(self, script: str, *arguments: str) -> str:
        return self._run(("/bin/sh", "-c", script, "sh", *arguments)).decode(errors="replace").strip()
