"""An exchange is one transaction, unless somebody else works on the workflow of a task that it claims."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

import pytest

from penstock.model.status import TaskStatus, WorkflowStatus
from penstock.store import tasks, workflows
from penstock.store.database import Database, Transaction
from penstock.wire.messages import Commands
from tests.support.lab import Lab
from tests.support.processes import wait_until


def test_the_end_of_a_task_and_the_next_one_are_one_transaction(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.run({"a": None, "b": None})
    agent = lab.agent()
    first = agent.take()
    agent.begin(first)
    begun: list[int] = []

    def write(db: Database) -> AbstractContextManager[Transaction]:
        begun.append(1)
        return usual(db)

    usual = Database.write
    monkeypatch.setattr(Database, "write", write)
    [second] = agent.sync(agent.finished(first), free=1).assignments
    assert second.task != first
    assert len(begun) == 1


def test_a_task_whose_workflow_somebody_works_on_is_started_once_that_has_ended(lab: Lab) -> None:
    pipeline = lab.run({"a": None})
    workflow, job = lab.workflow(pipeline), lab.job(pipeline, "a")
    agent = lab.agent()
    locked, done = threading.Event(), threading.Event()

    def work(tx: Transaction) -> TaskStatus | None:
        workflows.lock_workflow(tx, workflow.id)
        locked.set()
        done.wait(20)
        [task] = tasks.tasks_of(tx, job.id)
        held = tasks.lock_task(tx, task.uuid)  # waits for nobody: a claim is committed at once
        return held.task.status if held else None

    with ThreadPoolExecutor(2) as threads:
        other = threads.submit(lab.parts.db.retry, work, 1)
        assert locked.wait(20)
        claim = threads.submit(agent.claim, 1)
        if not lab.parts.db.is_sqlite:
            wait_until(lambda: is_claimed(lab, job.id), seconds=20)
        done.set()
        assert other.result(20) is (TaskStatus.QUEUED if lab.parts.db.is_sqlite else TaskStatus.RUNNING)
        [assignment] = claim.result(20)
    agent.begin(assignment.task)
    agent.end(assignment.task)
    assert lab.status(pipeline) is WorkflowStatus.SUCCESS


def is_claimed(lab: Lab, job_id: int) -> bool:
    with lab.parts.db.read() as tx:
        [task] = tasks.tasks_of(tx, job_id)
    return task.status is TaskStatus.RUNNING


def test_news_of_several_tasks_travel_together(lab: Lab) -> None:
    pipelines = [lab.run({"a": None}) for _ in range(3)]
    agent = lab.agent(slots=3)
    held = [assignment.task for assignment in agent.claim(3)]
    events = [event for task in reversed(held) for event in (agent.started(task), agent.finished(task))]
    assert agent.sync(*events) == Commands()
    assert [lab.status(pipeline) for pipeline in pipelines] == [WorkflowStatus.SUCCESS] * 3
