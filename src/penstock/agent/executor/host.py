"""Runs tasks on this machine, each in a folder of its own with its own HOME."""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from penstock.agent.executor import files
from penstock.agent.executor.archive import pack, unpack
from penstock.agent.executor.base import Entry, Kind, Member, Request, Watch
from penstock.agent.executor.desk import Desk, Seat
from penstock.agent.executor.guardian import Guardian
from penstock.agent.executor.load import Grant, Load, ProcessMeter, choose_grant, measure_machine
from penstock.agent.executor.processes import ChildProcess, Family, become_subreaper
from penstock.agent.executor.removal import remove_tree
from penstock.agent.executor.variables import read_host
from penstock.agent.reply import Answers
from penstock.kit.ids import new_id
from penstock.model.errors import UnavailableError
from penstock.wire.messages import Assignment

AGENT_MARKER = "PENSTOCK_AGENT_ID"
PLACE_MARKER = "PENSTOCK_PLACE_ID"  # not the task's id: a lost task may run again beside its old self

_COMMANDS = ("circleci", "circleci-agent")
_SCRIPT = Path(__file__).parents[1] / "injob" / "circleci.py"
_ASKING = _SCRIPT.with_name("asking.py")
_CURL = _SCRIPT.with_name("curl.sh")


class HostExecutor:
    """Offers folders on this machine. `adopts` makes this process the parent of orphans of its jobs.

    The folder `work` is made when missing; below it only folders of tasks and of this executor are made,
    and each is removed when it has served, unless `keep` leaves them for a look. `guarded` keeps a second
    process that cleans up after a crash.
    """

    def __init__(self, work: Path, *, adopts: bool = True, guarded: bool = True, keep: bool = False) -> None:
        self._keep = keep
        self._marker = f"{AGENT_MARKER}={new_id()}"
        self._family = Family(adopts=adopts and become_subreaper())
        self.guardian = Guardian(self._marker, self._family) if guarded else None
        self._folder = work / f"agent-{self._marker[-12:]}"
        self._host = read_host(os.environ, Path.home())
        self._machine = measure_machine()
        self._lock = threading.Lock()
        self._desk = Desk()

    def prepare(self, assignment: Assignment, watch: Watch) -> "HostPlace":  # noqa: ARG002 - takes no time
        """A new folder with a home in it. Raises UnavailableError when the disk refuses."""
        top = self._folder / assignment.task
        try:
            with self._lock:
                commands = self._write_commands(continues=assignment.continues)
            for name in ("home", "tmp", "control"):
                (top / name).mkdir(parents=True, exist_ok=True)
            (top / "control/bash_env").touch()
        except OSError as error:
            remove_tree(top)
            raise UnavailableError(
                f"cannot make a folder for the task below {self._folder}: {error}"
            ) from error
        variables = self._variables(top, assignment.task, commands)
        executor = assignment.plan.executor
        grant = choose_grant(executor.resource_class, executor.kind, self._machine)
        return HostPlace(top, variables, self._family, grant, self._desk, keep=self._keep)

    def close(self) -> None:
        """The guardian is gone, and the executor's folder unless it is to be kept."""
        self._desk.close()
        if self.guardian is not None:
            self.guardian.close()
        if not self._keep:
            remove_tree(self._folder)

    def _variables(self, top: Path, task: str, commands: Path) -> dict[str, str]:
        agent, _, agent_id = self._marker.partition("=")
        return self._host | {
            "HOME": str(top / "home"),
            "TMPDIR": str(top / "tmp"),
            "BASH_ENV": str(top / "control/bash_env"),
            "PENSTOCK_CONTROL": str(top / "control"),
            # `pip install --user` and its like put programs into the home; images have it on their PATH.
            "PATH": os.pathsep.join((str(commands), str(top / "home/.local/bin"), self._host["PATH"])),
            agent: agent_id,
            PLACE_MARKER: new_id(),
            "PENSTOCK_TASK_ID": task,
        }

    def _write_commands(self, *, continues: bool) -> Path:
        """The folder with the in-job commands, written once; Python starts faster without `site`.

        Tasks that may continue their pipeline have a folder that also has the `curl` for it.
        """
        folder = self._folder / ("setup-bin" if continues else "bin")
        if not folder.is_dir():
            if self.guardian is not None:
                self.guardian.watch(self._folder)
            folder.mkdir(parents=True, mode=0o755)
            python = f"exec '{sys.executable}' -I -S"
            choice = f'case "$1 $2" in "continue "*|"run oidc") {python} \'{_ASKING}\' "$@" ;; esac'
            text = f"#!/bin/sh\n{choice}\n{python} '{_SCRIPT}' \"$@\"\n"
            for name in _COMMANDS:
                (folder / name).write_text(text)
                (folder / name).chmod(0o755)
            if continues:
                shutil.copyfile(_CURL, folder / "curl")
                (folder / "curl").chmod(0o755)
        return folder


class HostPlace:
    """The folder of one task."""

    def __init__(
        self,
        top: Path,
        variables: dict[str, str],
        family: Family,
        grant: Grant,
        desk: Desk,
        *,
        keep: bool = False,
    ) -> None:
        self._top = top
        self._keep = keep
        self._family = family
        self._sessions: list[int] = []
        self._ended = False
        self._desk = desk
        self._seat: Seat | None = None
        self._meter = ProcessMeter(f"{PLACE_MARKER}={variables[PLACE_MARKER]}\0", self._sessions)
        family.begin_task()
        self.grant = grant
        self.variables: Mapping[str, str] = variables
        self.home = variables["HOME"]
        self.control = variables["PENSTOCK_CONTROL"]
        self.has_git = True  # without it there would be nothing to run

    def default_shell(self) -> tuple[str, ...]:
        """`/bin/bash -eo pipefail` where there is bash, else sh with as much of it as it knows."""
        return find_shell()

    def start(self, request: Request) -> ChildProcess:
        """Start the process, marked as the task's, with the in-job commands first on its PATH."""
        own = self.variables
        environment = {**own, **request.environment, "PWD": request.directory}
        for marker in (AGENT_MARKER, PLACE_MARKER, "PENSTOCK_CONTROL"):
            environment[marker] = own[marker]
        commands = own["PATH"].partition(os.pathsep)[0]
        if not environment["PATH"].startswith(commands):
            environment["PATH"] = f"{commands}{os.pathsep}{environment['PATH']}"
        running = self._family.start(
            Request(argv=request.argv, environment=environment, directory=request.directory), self._meter
        )
        self._sessions.append(running.pid)
        return running

    def read_load(self) -> Load | None:
        """What the task's processes use, wherever they went."""
        return self._meter.read()

    def resolve(self, path: str, base: str) -> str:
        """The absolute, normal path; `~` is the task's home."""
        return files.resolve_path(path, base, self.home)

    def lend(self, path: str) -> str:
        """The path: the task sees this machine."""
        return path

    def find_kind(self, path: str) -> Kind | None:
        """What is at the path, None when nothing is."""
        return files.find_kind(path)

    def make_folder(self, path: str) -> None:
        """The folder and those above it exist."""
        files.make_folder(path)

    def read(self, path: str) -> Iterator[bytes]:
        """The content in pieces of a mebibyte."""
        return files.read_file(path)

    def write(self, path: str, data: bytes) -> None:
        """The file has exactly this content."""
        Path(path).write_bytes(data)

    def measure(self, path: str) -> int:
        """The size of a file in bytes."""
        return Path(path).stat().st_size

    def walk(self, path: str) -> Iterator[Entry]:
        """Every file below the folder, links followed."""
        return files.walk_files(path)

    def match(self, base: str, pattern: str) -> list[str]:
        """Sorted matches relative to base."""
        return files.match_paths(base, pattern)

    def pack(self, members: Sequence[Member]) -> Iterator[bytes]:
        """A tar stream of the members."""
        return pack(members)

    def unpack(
        self, chunks: Iterable[bytes], roots: Mapping[str, str], accept: Callable[[str], None] | None = None
    ) -> int:
        """Lay a tar stream into the roots."""
        return unpack(chunks, roots, accept)

    def list_troubles(self) -> list[str]:
        """None: nothing runs beside the steps."""
        return []

    def serve(self, answers: Answers) -> None:
        """Requests in the control folder are answered until the processes end."""
        self._seat = self._desk.open(Path(self.control), answers)

    def end_processes(self) -> None:
        """Every process of the task is dead, daemons included."""
        if not self._ended:
            self._ended = True
            if self._seat is not None:
                self._desk.dismiss(self._seat)
            self._family.end_task(f"{PLACE_MARKER}={self.variables[PLACE_MARKER]}\0", self._sessions)

    def remove(self) -> None:
        """The folder is gone, unless it is to be kept, without the keys that were lent to the job."""
        if not self._keep:
            remove_tree(self._top)
            return
        for key in Path(self.home, ".ssh").glob("id_rsa_*"):
            key.unlink()


@cache
def find_shell() -> tuple[str, ...]:
    """The default shell of this machine (CircleCI docs: default shell options)."""
    if Path("/bin/bash").exists():
        return ("/bin/bash", "-eo", "pipefail")
    probe = subprocess.run(["/bin/sh", "-o", "pipefail", "-c", ":"], capture_output=True, check=False)
    return ("/bin/sh", "-eo", "pipefail") if probe.returncode == 0 else ("/bin/sh", "-e")
