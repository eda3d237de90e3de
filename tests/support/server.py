"""The `penstock serve` command as its operators start it: a process with a folder and a port of its own."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from penstock.bootstrap.folder import DataFolder
from penstock.bootstrap.parts import open_server_parts
from penstock.bootstrap.settings import Settings
from penstock.engine.trigger import ProjectRef, TriggerRequest, reserve_pipeline, trigger_pipeline
from penstock.engine.unit import Parts
from penstock.language import circleci
from penstock.language.common.context import Context
from penstock.model.run import Pipeline, Revision, TriggerType
from tests.support.command import command
from tests.support.processes import wait_until

ADDRESS = re.compile(r"listening on (https?://\S+)")
START_SECONDS = 60.0


class ServerProcess:
    """A running server: where it answers, what it wrote, and ways to end it."""

    def __init__(self, folder: Path, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.folder = DataFolder(folder)
        self.process = process
        self._log = log
        self.url = ""
        self.client = httpx.Client(timeout=20, verify=False)  # noqa: S501 - certificates of tests are self-signed

    def log(self) -> str:
        """What it wrote to standard error so far."""
        return self._log.read_text(errors="replace")

    def get(self, path: str, **headers: str) -> httpx.Response:
        """The answer to a GET."""
        return self.client.get(self.url + path, headers=headers)

    def signal(self, number: int) -> None:
        """Send a signal to the server alone."""
        os.kill(self.process.pid, number)

    def end(self, seconds: float = 30) -> int:
        """The exit status, once it has ended."""
        return self.process.wait(seconds)

    def stop(self, seconds: float = 30) -> int:
        """Stop it as an operator does; the exit status."""
        self.signal(signal.SIGTERM)
        return self.end(seconds)

    def kill(self) -> None:
        """Kill it as a power cut does."""
        self.process.kill()
        self.process.wait()

    def await_start(self) -> None:
        """Return once it is ready; the test fails when it ended before."""
        wait_until(self._is_announced, seconds=START_SECONDS, what=f"{self._log} tells the address")
        found = ADDRESS.search(self.log())
        assert found is not None, self.log()
        self.url = found[1]
        wait_until(lambda: self.get("/readyz").status_code == 200, seconds=START_SECONDS, what="it is ready")

    def _is_announced(self) -> bool:
        return self.process.poll() is not None or ADDRESS.search(self.log()) is not None


def begin_server(
    folder: Path, *arguments: str, environment: Mapping[str, str] | None = None
) -> ServerProcess:
    """A server just started with a data folder, on a free port unless one is given; it may not answer yet."""
    log = folder.with_name(f"{folder.name}-{time.monotonic_ns()}.log")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PENSTOCK_")}
    port = () if "--port" in arguments else ("--port", "0")
    defaults = {"PYTHONUNBUFFERED": "1", "DOCKER_HOST": "unix:///no/engine"}
    with log.open("wb") as out:
        process = subprocess.Popen(
            command("serve", "--data", str(folder), *port, *arguments),
            env=kept | defaults | dict(environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    return ServerProcess(folder, process, log)


@contextmanager
def running_server(
    folder: Path, *arguments: str, environment: Mapping[str, str] | None = None
) -> Iterator[ServerProcess]:
    """A server that is ready; whatever happens, it is gone afterwards."""
    # A test run in the background ignores SIGINT, and a child would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    server = begin_server(folder, *arguments, environment=environment)
    try:
        server.await_start()
        yield server
    finally:
        server.client.close()
        if server.process.poll() is None:
            server.kill()


@contextmanager
def joined_parts(folder: Path, database: str = "") -> Iterator[Parts]:
    """The parts of a server's data, opened by this process beside the server."""
    parts = open_server_parts(Settings(database=database), DataFolder(folder))
    try:
        yield parts
    finally:
        parts.db.close()


def trigger_config(parts: Parts, config: str, name: str = "app") -> Pipeline:
    """A pipeline of the CircleCI config, started through the database as another server would."""
    plan = circleci.compile(config, Context())
    assert not plan.diagnostics, plan.diagnostics
    reservation = reserve_pipeline(parts, ProjectRef(organization="gh/acme", name=name))
    request = TriggerRequest(
        project_id=reservation.project.id,
        uuid=reservation.uuid,
        number=reservation.number,
        trigger=TriggerType.API,
        actor="tester",
        revision=Revision(sha="1" * 40, branch="main"),
        plan=plan,
        source=config,
    )
    return trigger_pipeline(parts, request)
