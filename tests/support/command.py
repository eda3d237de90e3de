"""The `penstock` command as its users start it: a process of its own with a data folder of its own."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from tests.support.repositories import make_repository


class Outcome(msgspec.Struct):
    """What a command left: its exit status and what it printed."""

    status: int
    out: str
    err: str

    def events(self) -> list[dict[str, object]]:
        """The objects of `--json`, one a line."""
        return [msgspec.json.decode(line) for line in self.out.splitlines()]


class Project:
    """A checkout with a CircleCI config, and commands run in it."""

    def __init__(self, folder: Path, config: str, files: Mapping[str, str] | None = None) -> None:
        self.folder = make_repository(folder / "app", {".circleci/config.yml": config, **(files or {})})
        self.home = folder / "home"
        self.output = folder / "output"

    def environment(self, **extra: str) -> dict[str, str]:
        """The caller's variables, with a data folder apart and no terminal."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PENSTOCK_", "CI"))}
        return kept | self.defaults() | extra

    def defaults(self) -> dict[str, str]:
        """A data folder apart, no registry on the network, no engine: images are not everywhere."""
        return {
            "PENSTOCK_HOME": str(self.home),
            "PENSTOCK_ORB_REGISTRY": "off",
            "PYTHONUNBUFFERED": "1",
            "DOCKER_HOST": "unix:///no/engine",
        }

    def call(self, *arguments: str, timeout: float = 60, **environment: str) -> Outcome:
        """Run `penstock` with the arguments to its end."""
        return self._complete(command(*arguments), self.folder, timeout, environment)

    def call_as_user(self, *arguments: str) -> Outcome:
        """The same, bound by file permissions also when the tests are run by root."""
        return self._complete(without_privileges(command(*arguments)), self.folder, 60, {})

    def call_in_deleted(self, folder: Path, *arguments: str) -> Outcome:
        """Run `penstock` in an existing folder that is deleted just before."""
        folder.mkdir(exist_ok=True)
        script = 'rmdir "$PWD"; exec "$@"'
        return self._complete(["/bin/sh", "-c", script, "sh", *command(*arguments)], folder, 60, {})

    def _complete(
        self, call: list[str], folder: Path, timeout: float, environment: Mapping[str, str]
    ) -> Outcome:
        done = subprocess.run(
            call,
            cwd=folder,
            env=self.environment(**environment),
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    def run(self, *arguments: str, timeout: float = 60, **environment: str) -> Outcome:
        """`penstock run` with the arguments; what it keeps goes to `output`."""
        return self.call("run", "--output", str(self.output), *arguments, timeout=timeout, **environment)

    def log(self, job: str, step: str) -> str:
        """What a step of the last run printed."""
        (path,) = (self.output / "logs").glob(f"{job}/*-{step}.log")
        return path.read_text()


def command(*arguments: str) -> list[str]:
    """The command line of `penstock` in the interpreter that runs the tests."""
    return [sys.executable, "-m", "penstock", *arguments]


def without_privileges(call: list[str]) -> list[str]:
    """The call as a user makes it whom file permissions bind; for root this needs util-linux's setpriv."""
    if os.geteuid() != 0:
        return call
    if shutil.which("setpriv") is None:
        pytest.skip("root is bound by no permission, and there is no setpriv to give that up")
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *call]
