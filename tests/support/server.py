"""The `penstock serve` command as its operators start it: a process with a folder and a port of its own."""

import re
from collections.abc import Iterator, Mapping, Sequence
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
from tests.support.processes import wait_until
from tests.support.programs import START_SECONDS, Running

ADDRESS = re.compile(r"listening on (https?://\S+)")


class ServerProcess(Running):
    """A running server: where it answers."""

    def __init__(self, folder: Path, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        super().__init__(folder, arguments, environment)
        self.folder = DataFolder(folder)
        self.url = ""
        self.client = httpx.Client(timeout=20, verify=False)  # noqa: S501 - certificates of tests are self-signed

    def get(self, path: str, **headers: str) -> httpx.Response:
        """The answer to a GET."""
        return self.client.get(self.url + path, headers=headers)

    def await_start(self) -> None:
        """Return once it is ready; the test fails when it ended before."""
        wait_until(self._is_announced, seconds=START_SECONDS, what="the log tells the address")
        found = ADDRESS.search(self.log())
        assert found is not None, self.log()
        self.url = found[1]
        wait_until(lambda: self.get("/readyz").status_code == 200, seconds=START_SECONDS, what="it is ready")

    def _is_announced(self) -> bool:
        return self.has_ended() or ADDRESS.search(self.log()) is not None


def begin_server(
    folder: Path, *arguments: str, environment: Mapping[str, str] | None = None
) -> ServerProcess:
    """A server just started with a data folder, on a free port unless one is given; it may not answer yet."""
    port = () if "--port" in arguments else ("--port", "0")
    return ServerProcess(folder, ("serve", "--data", str(folder), *port, *arguments), environment or {})


@contextmanager
def running_server(
    folder: Path, *arguments: str, environment: Mapping[str, str] | None = None
) -> Iterator[ServerProcess]:
    """A server that is ready; whatever happens, it is gone afterwards."""
    server = begin_server(folder, *arguments, environment=environment)
    try:
        server.await_start()
        yield server
    finally:
        server.client.close()
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
