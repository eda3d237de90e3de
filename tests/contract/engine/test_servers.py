"""Several servers on one database, several agents at once: each job once, nothing stuck, no stale state."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from penstock.engine.control import cancel_pipeline, cancel_workflow, rerun_workflow
from penstock.engine.timers import tick
from penstock.kit.clock import SystemClock
from penstock.model.errors import RefusedError
from penstock.model.run import Pipeline
from penstock.model.status import WorkflowStatus
from penstock.wire.messages import Assignment, Commands, Sync, TaskFinished, TaskStarted
from tests.support.compact import Compact
from tests.support.databases import PostgresServer
from tests.support.invariants import check_all
from tests.support.lab import LAPSE, HandAgent, Lab
from tests.support.queues import list_leased

DEADLINE = 60.0


@pytest.fixture
def pair(url: str, tmp_path: Path) -> Iterator[tuple[Lab, Lab]]:
    """Two servers on one database, with one clock."""
    first = Lab(url, tmp_path)
    second = Lab(url, tmp_path, clock=first.clock)
    try:
        yield first, second
        for lab in (first, second):
            check_all(lab.parts, lab.changes)
    finally:
        first.close()
        second.close()


def test_what_one_server_remembers_is_not_taken_for_what_the_other_has_done(pair: tuple[Lab, Lab]) -> None:
    first, second = pair
    chain: dict[str, Compact | None] = {"a": None, "b": {"needs": ["a"]}, "c": {"needs": ["b"]}}
    pipeline = first.run(chain)
    here = first.agent()
    there = HandAgent(second, "there", slots=1, labels=())
    here.work()  # the first server now remembers a state in which only `a` has ended
    there.work()
    assert first.jobs(pipeline) == {"a": "success", "b": "success", "c": "queued"}
    task = here.take()
    cancel_workflow(second.parts, second.workflow(pipeline).uuid)
    here.end(task)
    assert second.jobs(pipeline) == {"a": "success", "b": "success", "c": "success"}
    assert second.status(pipeline) is WorkflowStatus.CANCELED
    assert first.ends(pipeline) == [WorkflowStatus.CANCELED]


def test_an_agent_may_talk_to_either_server(pair: tuple[Lab, Lab]) -> None:
    first, second = pair
    pipeline = first.run({"a": None})
    agent = first.agent()
    task = agent.take()
    agent._lab = second
    agent.begin(task)
    agent.end(task)
    assert first.jobs(pipeline) == {"a": "success"}
    assert second.ends(pipeline) == [WorkflowStatus.SUCCESS]


def test_a_loss_is_noticed_once_though_two_servers_look(pair: tuple[Lab, Lab]) -> None:
    first, _ = pair
    pipeline = first.run({"a": {"parallelism": 4}})
    first.agent().claim(4)
    first.clock.advance(LAPSE)
    with ThreadPoolExecutor(2) as threads:
        for future in [threads.submit(tick, lab.parts) for lab in pair]:
            future.result()
    assert first.jobs(pipeline) == {"a": "queued"}
    assert [task.attempt for task in first.tasks(pipeline, "a")] == [1] * 4


class Crowd:
    """Agents in threads that do nothing but end their tasks well, and count them."""

    def __init__(self, labs: list[Lab]) -> None:
        self._labs = labs
        self._lock = threading.Lock()
        self.runs: Counter[str] = Counter()
        self.stop = threading.Event()

    def work(self, number: int) -> None:
        """Take tasks two at a time, talking to the servers in turn, and send some news twice."""
        agent = self._labs[number % len(self._labs)].agent(slots=2)
        held: dict[str, Assignment] = {}
        for turn in range(1_000_000):
            if self.stop.is_set():
                return
            lab = self._labs[(number + turn) % len(self._labs)]
            events = tuple(event for task in held for event in self.news(lab, task))
            answer = lab.gateway.sync(Sync(agent=agent.uuid, events=events, free=2))
            if turn % 5 == 0:
                lab.gateway.sync(Sync(agent=agent.uuid, events=events, holding=self.keys(answer)))
            held = {assignment.task: assignment for assignment in answer.assignments}
            with self._lock:
                self.runs.update(assignment.job for assignment in answer.assignments)
            if not held:
                time.sleep(0.002)  # between two looks for work

    def keys(self, answer: Commands) -> tuple[str, ...]:
        return tuple(assignment.task for assignment in answer.assignments)

    def news(self, lab: Lab, task: str) -> tuple[TaskStarted, TaskFinished]:
        at = lab.clock.now()
        return (
            TaskStarted(task=task, sequence=1, at=at),
            TaskFinished(task=task, sequence=2, at=at, status="success"),  # type: ignore[arg-type] # as from the wire
        )


def wait_until(condition: Callable[[], bool]) -> None:
    """The test fails when it does not come true in time."""
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)  # between two looks at a condition with a deadline


def layers(count: int, width: int) -> dict[str, Compact]:
    """Each job of a layer needs every job of the layer before."""
    return {
        f"j{layer}-{number}": {"needs": [f"j{layer - 1}-{other}" for other in range(width)] if layer else []}
        for layer in range(count)
        for number in range(width)
    }


@pytest.mark.postgres
@pytest.mark.slow
def test_two_servers_and_many_agents_run_every_job_once(postgresql: PostgresServer, tmp_path: Path) -> None:
    url = postgresql.new_database()
    labs = [Lab(url, tmp_path, clock=SystemClock()) for _ in range(2)]  # type: ignore[arg-type]  # a real clock
    crowd = Crowd(labs)
    serial: Compact = {"serial_group": "prod"}
    try:
        made: list[Pipeline] = []
        with ThreadPoolExecutor(6) as threads:
            workers = [threads.submit(crowd.work, number) for number in range(4)]
            wide = {"workflows": {"main": {"jobs": layers(8, 10)}}}
            made += [labs[number % 2].trigger(wide, project=f"p{number}") for number in range(3)]
            locked = {"workflows": {key: {"jobs": {"a": serial, "b": serial}} for key in "vwxyz"}}
            made += [labs[number % 2].trigger(locked, project=f"q{number}") for number in range(4)]
            copies = {"workflows": {"main": {"jobs": {"a": {"parallelism": 10}, "b": {"parallelism": 10}}}}}
            made += [labs[0].trigger(copies, project="c")]
            try:
                wait_until(lambda: all(ended(labs, pipeline) for pipeline in made))
            finally:
                crowd.stop.set()
            for worker in workers:
                worker.result()
        assert sum(crowd.runs.values()) == 3 * 80 + 4 * 10 + 20
        assert set(crowd.runs.values()) == {1, 10}
        for pipeline in made:
            assert [verdict for lab in labs for verdict in lab.ends(pipeline)] == [WorkflowStatus.SUCCESS]
        for lab in labs:
            check_all(lab.parts, over=True)
    finally:
        for lab in labs:
            lab.close()
        postgresql.drop(url)


def ended(labs: list[Lab], pipeline: Pipeline) -> bool:
    return any(lab.ends(pipeline) for lab in labs)


def test_a_waiting_agent_hears_of_new_work_at_once(lab: Lab) -> None:
    agent = lab.agent()
    clock = SystemClock()
    object.__setattr__(lab.clock, "monotonic", clock.monotonic)
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(lab.gateway.sync, Sync(agent=agent.uuid, free=1, wait=DEADLINE))
        wait_until(lambda: lab.gateway._waiting[agent.uuid] == 1)
        pipeline = lab.run({"a": None})
        [assignment] = answer.result(DEADLINE).assignments
    assert lab.jobs(pipeline) == {"a": "running"}
    assert assignment.plan.name == "a"
    assert not lab.gateway._waiting


def test_a_newer_message_of_an_agent_ends_the_wait_of_an_older_one(lab: Lab) -> None:
    agent = lab.agent()
    object.__setattr__(lab.clock, "monotonic", SystemClock().monotonic)
    with ThreadPoolExecutor(2) as threads:
        older = threads.submit(lab.gateway.sync, Sync(agent=agent.uuid, free=1, wait=DEADLINE))
        wait_until(lambda: lab.gateway._waiting[agent.uuid] == 1)
        newer = threads.submit(lab.gateway.sync, Sync(agent=agent.uuid, free=1, wait=DEADLINE))
        assert older.result(DEADLINE) == Commands()
        lab.gateway.end_waits()
        assert newer.result(DEADLINE) == Commands()


@pytest.mark.postgres
def test_work_that_came_in_through_another_server_is_found_by_looking(
    postgresql: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("penstock.engine.gateway.LOOK", 0.05)
    url = postgresql.new_database()
    first, second = Lab(url, tmp_path), Lab(url, tmp_path)
    try:
        object.__setattr__(second.clock, "monotonic", SystemClock().monotonic)
        agent = HandAgent(second, "there", slots=1, labels=())
        with ThreadPoolExecutor(1) as threads:
            answer = threads.submit(second.gateway.sync, Sync(agent=agent.uuid, free=1, wait=DEADLINE))
            wait_until(lambda: second.gateway._waiting[agent.uuid] == 1)
            first.run({"a": None})
            assert len(answer.result(DEADLINE).assignments) == 1
    finally:
        first.close()
        second.close()
        postgresql.drop(url)


@pytest.mark.postgres
@pytest.mark.slow
def test_cancels_reruns_and_pushes_in_the_midst_of_it_leave_nothing_stuck(
    postgresql: PostgresServer, tmp_path: Path
) -> None:
    url = postgresql.new_database()
    labs = [Lab(url, tmp_path, clock=SystemClock()) for _ in range(2)]  # type: ignore[arg-type]  # a real clock
    crowd = Crowd(labs)
    jobs: dict[str, Compact] = {
        "build": {},
        "one": {"needs": ["build"], "serial_group": "x"},
        "two": {"needs": ["build"], "serial_group": "y"},
        "last": {"needs": {"one": "terminal", "two": "terminal"}, "serial_group": "x"},
    }
    plan: Compact = {
        "workflows": {
            "main": {"jobs": jobs},
            "line": {"jobs": jobs, "queue": {"name": "line", "cancel_queued": True}},
            "branch": {
                "jobs": jobs,
                "queue": {"name": "branch", "serialized": False, "cancel_running": True},
            },
        }
    }

    def meddle(number: int) -> None:
        lab = labs[number]
        for turn in range(8):
            pipeline = lab.trigger(plan, project=f"p{turn % 2}")
            tick(lab.parts)
            if turn % 3 == 1:
                cancel_workflow(lab.parts, lab.workflow(pipeline, "main").uuid)
            if turn % 3 == 2:
                cancel_pipeline(lab.parts, pipeline.uuid)
            with suppress(RefusedError):
                rerun_workflow(lab.parts, lab.workflow(pipeline, "branch").uuid)

    try:
        with ThreadPoolExecutor(6) as threads:
            workers = [threads.submit(crowd.work, number) for number in range(3)]
            meddlers = [threads.submit(meddle, number) for number in range(2)]
            try:
                for meddler in meddlers:
                    meddler.result()
                wait_until(lambda: not any(worker.done() for worker in workers) and is_over(labs[0]))
            finally:
                crowd.stop.set()
            for worker in workers:
                worker.result()
        for lab in labs:
            check_all(lab.parts, over=True)
    finally:
        for lab in labs:
            lab.close()
        postgresql.drop(url)


def is_over(lab: Lab) -> bool:
    """Every workflow has ended, and no agent holds a task of it."""
    return all(
        workflow.status.is_terminal
        for pipeline in lab.every_pipeline()
        for workflow in lab.workflows(pipeline)
    ) and not list_leased(lab.parts.db)
