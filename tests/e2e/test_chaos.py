"""Servers, their agents and their database, killed at random under load: what is said stays true."""

import base64
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from penstock.engine.unit import Parts
from tests.support.agent_process import begin_agent, make_join_token
from tests.support.chaos import Load, Node, Running, Tally, find_port, make_chaos, read_ends, read_ledger
from tests.support.databases import PostgresServer, start_postgresql
from tests.support.invariants import check_rows
from tests.support.load import OPERATOR, Client, add_bare_project
from tests.support.processes import processes_with, wait_until
from tests.support.server import begin_server, joined_parts

SECONDS = float(os.environ.get("PENSTOCK_CHAOS_SECONDS") or 8)
SEED = int(os.environ.get("PENSTOCK_CHAOS_SEED") or 20_261_121)
CALM = 120.0
SLOTS = 2

CONFIG = """
version: 2.1
jobs:
  first: &job
    machine: true
    steps:
      - run: echo $CIRCLE_WORKFLOW_JOB_ID $CIRCLE_NODE_INDEX begin >> LEDGER
      - run: sleep 0.$((RANDOM % 5))
      - run: echo $CIRCLE_WORKFLOW_JOB_ID $CIRCLE_NODE_INDEX end >> LEDGER
  twins: {<<: *job, parallelism: 2}
  last: {<<: *job}
  bad:
    machine: true
    steps: [{run: "echo $CIRCLE_WORKFLOW_JOB_ID $CIRCLE_NODE_INDEX bad >> LEDGER; exit 1"}]
workflows:
  main: {jobs: [first, {twins: {requires: [first]}}, {last: {requires: [twins]}}]}
  other: {jobs: [bad]}
"""


@pytest.fixture
def postgresql() -> Iterator[PostgresServer]:
    """A server of its own."""
    server = start_postgresql()
    yield server
    server.stop()


class Stage:
    """Servers, two agents apart from them or one inside each, and the ledger that jobs write."""

    def __init__(self, folder: Path, url: str, *, servers: int, inside: bool) -> None:
        self.inside = inside
        self.folder = folder
        self.url = url
        self.ledger = folder / "ledger"
        self.ledger.touch()
        self.ports = [find_port() for _ in range(servers)]
        self.addresses = [f"http://127.0.0.1:{port}" for port in self.ports]
        with joined_parts(folder / "mine", url) as parts:
            add_bare_project(parts, folder, CONFIG.replace("LEDGER", str(self.ledger)))
            self._token = make_join_token(parts)
        self.servers = [
            Node(f"server{n}", partial(self._begin_server, n), is_listening) for n in range(servers)
        ]
        self.agents = self.servers
        if not inside:
            self.agents = [Node(f"agent{n}", partial(self._begin_agent, n), is_at_work) for n in range(2)]

    @property
    def nodes(self) -> list[Node]:
        return self.servers if self.inside else [*self.servers, *self.agents]

    def _begin_server(self, number: int) -> Running:
        slots = str(SLOTS) if self.inside else "0"
        settings = ("--port", str(self.ports[number]), "--slots", slots, "--drain", "1")
        key = base64.b64encode(bytes(32)).decode()
        shared = {"PENSTOCK_DATABASE": self.url, "PENSTOCK_BLOBS": str(self.folder / "blobs")}
        environment = OPERATOR | shared | {"PENSTOCK_KEY": key}
        return begin_server(self.folder / f"server{number}", *settings, environment=environment)

    def _begin_agent(self, number: int) -> Running:
        options = ("--slots", str(SLOTS), "--executor", "host")
        return begin_agent(self.folder / f"agent{number}", self.addresses[number], self._token, *options)


def is_listening(server: Running) -> bool:
    return "listening on" in server.log()


def is_at_work(agent: Running) -> bool:
    return "works for" in agent.log()


@pytest.mark.slow
@pytest.mark.timeout(SECONDS + 240)
@pytest.mark.postgres
@pytest.mark.parametrize("agents", ["apart", "inside"])
def test_servers_and_agents_killed_at_random_lose_nothing_and_say_nothing_false(
    tmp_path: Path, postgresql: PostgresServer, agents: str
) -> None:
    stage = Stage(tmp_path, postgresql.new_database(), servers=2, inside=agents == "inside")
    play(stage, partial(restart, postgresql))


@pytest.mark.slow
@pytest.mark.timeout(SECONDS + 240)
def test_one_server_killed_at_random_loses_nothing_and_says_nothing_false(tmp_path: Path) -> None:
    play(Stage(tmp_path, f"sqlite:///{tmp_path}/penstock.db", servers=1, inside=True), lambda _seconds: None)


def play(stage: Stage, take_database_away: Callable[[float], None]) -> None:
    """Let chaos reign for a while, then see whether all is true."""
    tally = Tally()
    dice = random.Random(SEED)  # noqa: S311 - a story that can be told again
    try:
        for node in stage.nodes:
            node.begin()
        for node in stage.nodes:
            node.await_ready()
        loads = [Load(stage.addresses, random.Random(SEED + n), tally, 1.2) for n in range(2)]  # noqa: S311 - the same
        for load in loads:
            load.start()
        make_chaos(stage.nodes, take_database_away, dice, SECONDS, tally)
        for load in loads:
            load.stop()
        await_calm(stage, tally)
        with joined_parts(stage.folder / "mine", stage.url) as parts:
            check_rows(parts, over=True)
            check_truth(parts, stage, tally)
        assert [node.stop() for node in stage.nodes] == [0] * len(stage.nodes)
        assert processes_with(str(stage.ledger)) == []
    finally:
        for node in stage.nodes:
            node.kill()
        (stage.folder / "tally").write_text(f"seed {SEED}: {tally}\n")
    for node in stage.nodes:
        for life in node.lives:
            assert "Traceback" not in life.log(), life.log()[-5000:]


def restart(postgresql: PostgresServer, seconds: float) -> None:
    """The database was away for so long, and everybody is cut off from it."""
    postgresql.interrupt()
    time.sleep(seconds)  # how long it is away
    postgresql.resume()


def await_calm(stage: Stage, tally: Tally) -> None:
    """Every server answers, no pipeline that was promised is missing, and all come to an end."""
    assert tally.strange == []
    for address in stage.addresses:
        with closing(Client(address)) as client:
            answer = client.trigger()
            assert answer.status_code == 201, answer.text
            tally.made.add(answer.json()["id"])
    with closing(Client(stage.addresses[0])) as client:
        stored = client.list_pipelines()
        assert tally.made - stored.keys() == set()
        assert [each for each in stored.values() if each["errors"]] == []
        for pipeline in stored:
            wait_until(
                lambda pipeline=pipeline: has_ended(client, pipeline),  # type: ignore[misc]  # mypy knows no defaults of lambdas
                seconds=CALM,
                what=f"{pipeline} ended: {client.list_jobs(pipeline)}",
                pause=0.2,
            )


def has_ended(client: Client, pipeline: str) -> bool:
    workflows = client.list_all(f"/pipeline/{pipeline}/workflow")
    return bool(workflows) and all(each["stopped_at"] is not None for each in workflows)


def check_truth(parts: Parts, stage: Stage, tally: Tally) -> None:
    """What is stored of each job agrees with what the jobs themselves wrote down."""
    wrote = read_ledger(stage.ledger)
    rows = list_tasks(parts)
    for row in rows:
        place = (row.job, row.copy)
        if row.job_status == "success":
            assert wrote[*place, "end"] >= 1, row
        if row.job_status == "failed":
            assert (row.name, wrote[*place, "bad"] >= 1) == ("bad", True), row
    check_attempts(rows)
    check_agents(stage, {row.task: row.status for row in rows})
    told = Counter((row.job, row.copy) for row in rows if row.status in {"success", "failed"})
    doubled = 0
    for job, index in {(job, index) for job, index, _ in wrote}:
        doubled += max(wrote[job, index, "end"] + wrote[job, index, "bad"] - told[job, index], 0)
    tally.acts["run to their end by an agent that was killed before it could say so"] = doubled
    killed = sum(len(agent.killed) for agent in stage.agents)
    assert doubled <= max(killed // 4, 2), tally
    assert {job for job, _, _ in wrote} <= {row.job for row in rows}


class TaskRow(NamedTuple):
    """A task as it is stored, and its job."""

    job: str
    name: str
    job_status: str
    attempt: int
    copy: int
    task: str
    status: str


def list_tasks(parts: Parts) -> list[TaskRow]:
    """All there are."""
    with parts.db.read() as tx:
        found = tx.exec_driver_sql(
            "SELECT jobs.uuid, jobs.name, jobs.status, "
            'tasks.attempt, tasks."index", tasks.uuid, tasks.status '
            "FROM tasks JOIN jobs ON jobs.id = tasks.job_id"
        )
        return [TaskRow(*row) for row in found]


def check_attempts(rows: Iterable[TaskRow]) -> None:
    """Of each job at most one attempt was a success, and nothing was tried after it."""
    attempts: dict[str, dict[int, set[str]]] = {}
    for row in rows:
        attempts.setdefault(row.job, {}).setdefault(row.attempt, set()).add(row.status)
    for job, outcomes in attempts.items():
        good = [attempt for attempt, statuses in outcomes.items() if statuses == {"success"}]
        assert good in ([], [max(outcomes)]), (job, outcomes)


def check_agents(stage: Stage, stored: dict[str, str]) -> None:
    """What an agent that could say farewell has ended is stored as it said, unless somebody canceled it."""
    for agent in stage.agents:
        for life in agent.lives:
            if life not in agent.killed:
                for task, status in read_ends(life.log()).items():
                    assert stored.get(task) in {status, "canceled"}, (
                        agent.name,
                        task,
                        status,
                        stored.get(task),
                    )
