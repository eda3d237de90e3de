"""Somebody at a checkout who uses a live server by the command line."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from tests.support.command import Outcome, command
from tests.support.repositories import git, make_repository
from tests.support.server import ServerProcess, running_server

TOKEN = "a-token-for-developers"


class Developer:
    """A checkout with the config, pushed to `origin`, and commands run in it with a login of its own."""

    def __init__(self, folder: Path, server: ServerProcess, files: Mapping[str, str]) -> None:
        self.server = server
        self.folder = make_repository(folder / "app", dict(files))
        self.origin = folder / "app.git"
        self.config_home = folder / "config"
        git(folder, "clone", "--quiet", "--bare", str(self.folder), str(self.origin))
        git(self.folder, "remote", "add", "origin", str(self.origin))
        git(self.folder, "fetch", "--quiet")
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PENSTOCK_", "CI")) and not name.lower().endswith("_proxy")
        }
        self.environment |= {
            "XDG_CONFIG_HOME": str(self.config_home),
            "PENSTOCK_HOME": str(folder / "home"),
            "PYTHONUNBUFFERED": "1",
        }

    def call(
        self,
        *arguments: str,
        stdin: str = "",
        cwd: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Outcome:
        """Run `penstock` with the arguments to its end."""
        done = subprocess.run(
            command(*arguments),
            cwd=cwd or self.folder,
            env=self.environment | dict(environment or {}),
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=60,
            check=False,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    def succeed(self, *arguments: str, status: int = 0, stdin: str = "") -> str:
        """What the command printed; it ends with this status."""
        done = self.call(*arguments, stdin=stdin)
        assert done.status == status, (arguments, done)
        return done.out

    def json(self, *arguments: str, status: int = 0) -> list[dict[str, Any]]:
        """The objects it printed with `--json`."""
        out = self.succeed(*arguments, "--json", status=status)
        return [msgspec.json.decode(line) for line in out.splitlines()]

    def login(self) -> None:
        """It is logged in as the administrator."""
        self.succeed("login", self.server.url, "--token", "-", stdin=f"{TOKEN}\n")

    @contextmanager
    def running(self, *arguments: str) -> "Iterator[subprocess.Popen[str]]":
        """The command, running; it is over afterwards, whatever happens."""
        with subprocess.Popen(
            command(*arguments),
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                yield process
            finally:
                process.kill()


@contextmanager
def developer_at(folder: Path, files: Mapping[str, str], *more: str) -> Iterator[Developer]:
    """Somebody with a checkout of these files, and a server that runs jobs on this machine.

    The server is given `more` options.
    """
    protocols = [word for name in ("file", "https", "ssh") for word in ("--git-protocols", name)]
    settings = (*protocols, "--executor", "host", *more)
    environment = {"PENSTOCK_ADMIN_TOKEN": TOKEN}
    with running_server(folder / "data", *settings, environment=environment) as server:
        yield Developer(folder, server, files)
