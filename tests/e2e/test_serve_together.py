"""Several servers on one PostgreSQL: they share the work, any may die, and the database may go away."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.engine.summary import summarize_pipeline
from penstock.engine.unit import Parts
from penstock.model.status import TaskStatus, WorkflowStatus
from tests.support.databases import PostgresServer, start_postgresql
from tests.support.processes import mark_of, processes_with, wait_until
from tests.support.server import ServerProcess, begin_server, joined_parts, running_server, trigger_config

pytestmark = pytest.mark.postgres

CONFIG = """
version: 2.1
jobs:
  first: {{machine: true, steps: [{{run: '{command}'}}]}}
  second: {{machine: true, steps: [{{run: '{command}'}}]}}
workflows: {{main: {{jobs: [first, {{second: {{requires: [first]}}}}]}}}}
"""


@pytest.fixture
def postgresql() -> Iterator[PostgresServer]:
    """A server of its own for each test, which may be stopped."""
    server = start_postgresql()
    yield server
    server.stop()


def outcomes(parts: Parts, pipelines: list[str]) -> list[WorkflowStatus]:
    return [summarize_pipeline(parts, uuid).workflows[0].status for uuid in pipelines]


@pytest.mark.slow
def test_a_killed_server_s_work_is_done_by_the_others(tmp_path: Path, postgresql: PostgresServer) -> None:
    url = postgresql.new_database()
    shared = ("--database", url, "--blobs", str(tmp_path / "blobs"), "--slots", "2", "--agent-lease", "5")
    with (
        running_server(tmp_path / "one", *shared) as one,
        running_server(tmp_path / "two", *shared) as two,
        joined_parts(tmp_path / "mine", url) as parts,
    ):
        made = [trigger_config(parts, CONFIG.format(command="sleep 0.3")).uuid for _ in range(12)]
        wait_until(lambda: has_worked(parts, one) and has_worked(parts, two), seconds=30, what="both work")
        one.kill()
        wait_until(
            lambda: all(status.is_terminal for status in outcomes(parts, made)), seconds=90, what="all end"
        )
        assert outcomes(parts, made) == ["success"] * len(made)
        assert one.process.pid != two.process.pid
        assert successes_of(parts, made) == {(uuid, key): 1 for uuid in made for key in ("first", "second")}
        assert two.stop() == 0


def has_worked(parts: Parts, server: ServerProcess) -> bool:
    """True when the agent in the server had a task."""
    agent = (server.folder.root / "agent").read_text().strip()
    with parts.db.read() as tx:
        found = tx.exec_driver_sql(
            "SELECT count(*) FROM tasks JOIN agents ON agents.id = tasks.agent_id WHERE agents.uuid = %s",
            (agent,),
        )
        return bool(found.scalar_one())


def successes_of(parts: Parts, pipelines: list[str]) -> dict[tuple[str, str], int]:
    """How many tasks of each job were a success."""
    with parts.db.read() as tx:
        found = tx.exec_driver_sql(
            "SELECT pipelines.uuid, jobs.key, count(*) FROM tasks "
            "JOIN jobs ON jobs.id = tasks.job_id JOIN workflows ON workflows.id = jobs.workflow_id "
            "JOIN pipelines ON pipelines.id = workflows.pipeline_id "
            "WHERE tasks.status = %s AND pipelines.uuid = ANY(%s) GROUP BY 1, 2",
            (TaskStatus.SUCCESS.value, pipelines),
        )
        return {(str(uuid), key): count for uuid, key, count in found}


def test_a_database_that_goes_away_and_comes_back_is_said_once(
    tmp_path: Path, postgresql: PostgresServer
) -> None:
    url = postgresql.new_database()
    with running_server(tmp_path / "one", "--database", url, "--log-format", "json") as server:
        postgresql.interrupt()
        wait_until(lambda: "timers: waits, since" in server.log(), seconds=20, what="it says so")
        wait_until(lambda: server.get("/readyz").status_code == 503, seconds=20, what="it is not ready")
        assert "database" in server.get("/readyz").json()["reasons"][0]
        assert server.get("/healthz").status_code == 200
        assert "penstock_database_up 0.0" in server.get("/metrics").text
        postgresql.resume()
        wait_until(lambda: "timers: goes on" in server.log(), seconds=30, what="it goes on")
        wait_until(lambda: server.get("/readyz").status_code == 200, seconds=20, what="it is ready")
        with joined_parts(tmp_path / "mine", url) as parts:
            made = [trigger_config(parts, CONFIG.format(command="true")).uuid]
            wait_until(lambda: outcomes(parts, made) == ["success"], seconds=40, what="jobs run again")
        assert server.log().count("timers: waits, since") == 1
        assert "Traceback" not in server.log()
        assert server.stop() == 0


@pytest.mark.slow
def test_a_server_stops_while_its_database_is_away(tmp_path: Path, postgresql: PostgresServer) -> None:
    url = postgresql.new_database()
    with (
        running_server(tmp_path / "one", "--database", url, "--drain", "0.1") as server,
        joined_parts(tmp_path / "mine", url) as parts,
    ):
        trigger_config(parts, CONFIG.format(command=f"touch {tmp_path}/on; sleep {mark_of(tmp_path)}"))
        wait_until((tmp_path / "on").exists, what="the job runs")
        postgresql.interrupt()
        assert server.stop(60) == 0
        assert processes_with(mark_of(tmp_path)) == []
        assert "could not be handed back" in server.log()


def test_a_server_that_starts_before_its_database_waits_for_it(
    tmp_path: Path, postgresql: PostgresServer
) -> None:
    url = postgresql.new_database()
    postgresql.interrupt()
    server = begin_server(tmp_path / "one", "--database", url)
    try:
        wait_until(lambda: "waits up to 60 s for the database" in server.log(), seconds=30, what="it says so")
        postgresql.resume()
        server.await_start()
        assert server.stop() == 0
    finally:
        server.client.close()
        server.kill()
