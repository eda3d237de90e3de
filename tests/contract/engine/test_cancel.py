"""Cancels of pipelines, workflows and jobs, in every state a job can be in."""

import pytest

from penstock.engine.control import cancel_job, cancel_pipeline, cancel_workflow
from penstock.engine.gateway import Gateway
from penstock.model.errors import NotFoundError
from penstock.model.status import Reason, TaskStatus, WorkflowStatus
from penstock.store import queue
from tests.support.lab import LAPSE, Lab

EVERY = {
    "running": None,
    "passed": None,
    "queued": None,
    "blocked": {"needs": ["running"]},
    "held": {"kind": "approval"},
    "delayed": {"retry": {"attempts": 2, "delay": 60}},
    "holder": {"serial_group": "prod"},
    "waiting": {"serial_group": "prod"},
}


def test_a_cancel_meets_jobs_in_every_state(lab: Lab) -> None:
    pipeline = lab.run(EVERY)
    agent = lab.agent()
    for name in ("running", "passed", "queued", "delayed", "holder"):
        [assignment] = agent.claim()
        assert assignment.plan.name == name
        if name == "passed":
            agent.end(assignment.task)
        elif name == "delayed":
            agent.end(assignment.task, TaskStatus.FAILED)
        elif name == "queued":
            lab.pass_time(LAPSE - 30)  # a third of its lease
    agent.sync()
    cancel_pipeline(lab.parts, pipeline.uuid)
    assert lab.jobs(pipeline) == {
        "running": "canceling user",
        "passed": "success",
        "queued": "canceling user",
        "blocked": "canceled user",
        "held": "canceled user",
        "delayed": "canceled user",
        "holder": "canceling user",
        "waiting": "canceled user",
    }
    answer = agent.sync()
    assert {command.task for command in answer.cancel} == set(agent.held)
    for task in tuple(agent.held):
        agent.end(task, TaskStatus.CANCELED)
    assert lab.status(pipeline) is WorkflowStatus.CANCELED
    assert lab.ends(pipeline) == [WorkflowStatus.CANCELED]
    lab.pass_time(3600)
    assert lab.status(pipeline) is WorkflowStatus.CANCELED


def test_a_cancel_before_anything_ran_ends_at_once(lab: Lab) -> None:
    pipeline = lab.run({"a": {"parallelism": 2}, "b": {"needs": ["a"]}})
    cancel_workflow(lab.parts, lab.workflow(pipeline).uuid)
    assert lab.jobs(pipeline) == {"a": "canceled user", "b": "canceled user"}
    assert [task.status for task in lab.tasks(pipeline, "a")] == ["canceled", "canceled"]
    assert lab.agent().claim() == ()


def claim_only(lab: Lab) -> str:
    """A task that was claimed by an agent of a server that died before it could start it."""
    agent = lab.agent()
    with lab.parts.db.write() as tx:
        [task] = queue.claim_tasks(tx, agent.id, [], limit=1, lease_until=lab.clock.now() + 30_000)
    return task.uuid


def test_a_cancel_between_claim_and_start_is_heard_when_the_lease_is_over(lab: Lab) -> None:
    pipeline = lab.run({"a": None})
    claim_only(lab)
    cancel_workflow(lab.parts, lab.workflow(pipeline).uuid)
    assert lab.jobs(pipeline) == {"a": "canceled user"}
    lab.pass_time(LAPSE)
    [task] = lab.tasks(pipeline, "a")
    assert (task.status, task.reason, task.lease_until) == ("canceled", "user", None)
    assert lab.job(pipeline, "a").message == ""


def test_a_cancel_between_claim_and_start_stops_the_start(lab: Lab) -> None:
    from penstock.engine.report import start_task
    from penstock.engine.transact import transact

    pipeline = lab.run({"a": None})
    task = claim_only(lab)
    cancel_workflow(lab.parts, lab.workflow(pipeline).uuid)
    assert not transact(lab.parts, lambda unit: start_task(unit, task))
    assert [each.status for each in lab.tasks(pipeline, "a")] == ["canceled"]


def test_a_start_that_never_came_leaves_a_job_that_can_be_claimed_again(lab: Lab) -> None:
    pipeline = lab.run({"a": None})
    claim_only(lab)
    assert lab.jobs(pipeline) == {"a": "queued"}
    lab.pass_time(LAPSE)
    lab.agent().work()
    assert lab.jobs(pipeline) == {"a": "success"}


def test_one_canceled_job_leaves_the_others_alone(lab: Lab) -> None:
    pipeline = lab.run(
        {"a": None, "b": {"needs": ["a"]}, "cleanup": {"needs": {"a": "canceled"}}, "other": None}
    )
    agent = lab.agent()
    task = agent.take()
    cancel_job(lab.parts, lab.job(pipeline, "a").uuid)
    assert lab.jobs(pipeline)["a"] == "canceling user"
    agent.end(task, TaskStatus.CANCELED)
    agent.work()
    agent.work()
    assert lab.jobs(pipeline) == {
        "a": "canceled user",
        "b": "not_run dependency",
        "cleanup": "success",
        "other": "success",
    }
    assert lab.status(pipeline) is WorkflowStatus.CANCELED


def test_a_canceled_copy_job_keeps_the_failure_that_one_copy_had(lab: Lab) -> None:
    pipeline = lab.run({"a": {"parallelism": 3}})
    agent = lab.agent()
    first = agent.take()
    agent.end(first, TaskStatus.FAILED, Reason.TEST)
    cancel_job(lab.parts, lab.job(pipeline, "a").uuid)
    assert lab.jobs(pipeline) == {"a": "failed test"}


def test_the_word_of_an_agent_that_was_faster_than_the_cancel_counts(lab: Lab) -> None:
    pipeline = lab.run({"a": None})
    agent = lab.agent()
    task = agent.take()
    cancel_workflow(lab.parts, lab.workflow(pipeline).uuid)
    agent.end(task)
    assert lab.jobs(pipeline) == {"a": "success"}
    assert lab.status(pipeline) is WorkflowStatus.CANCELED


def test_a_cancel_of_what_has_ended_changes_nothing(lab: Lab) -> None:
    pipeline = lab.run({"a": None})
    lab.agent().work()
    before = len(lab.changes)
    cancel_pipeline(lab.parts, pipeline.uuid)
    cancel_workflow(lab.parts, lab.workflow(pipeline).uuid)
    cancel_job(lab.parts, lab.job(pipeline, "a").uuid)
    assert len(lab.changes) == before
    assert lab.status(pipeline) is WorkflowStatus.SUCCESS


@pytest.mark.parametrize("cancel", [cancel_pipeline, cancel_workflow, cancel_job])
def test_a_cancel_of_nothing_is_told(lab: Lab, cancel: object) -> None:
    assert callable(cancel)
    with pytest.raises(NotFoundError):
        cancel(lab.parts, "00000000-0000-7000-8000-000000000000")


def test_a_gateway_may_let_canceled_tasks_clean_up(lab: Lab) -> None:
    lab.gateway = Gateway(lab.parts, clean_up=True)
    pipeline = lab.run({"a": None})
    agent = lab.agent()
    agent.take()
    cancel_pipeline(lab.parts, pipeline.uuid, reason=Reason.INTERRUPTED)
    [command] = agent.sync().cancel
    assert (command.clean_up, command.reason) == (True, Reason.INTERRUPTED)


def test_what_was_stopped_says_by_whom(lab: Lab) -> None:
    pipeline = lab.run({"a": None, "b": {"needs": ["a"]}, "c": None})
    agent = lab.agent()
    agent.end(agent.take())
    cancel_workflow(lab.parts, lab.workflow(pipeline).uuid, by="grace")
    cancel_workflow(lab.parts, lab.workflow(pipeline).uuid, by="eve")
    assert lab.workflow(pipeline).canceled_by == "grace"
    assert {key: lab.job(pipeline, key).canceled_by for key in "abc"} == {"a": "", "b": "grace", "c": "grace"}


def test_of_one_job_that_was_stopped_its_workflow_says_nothing(lab: Lab) -> None:
    pipeline = lab.run({"a": None, "b": None})
    agent = lab.agent()
    task = agent.take()
    cancel_job(lab.parts, lab.job(pipeline, "a").uuid, by="grace")
    agent.sync()
    agent.end(task, TaskStatus.CANCELED)
    assert lab.job(pipeline, "a").canceled_by == "grace"
    assert lab.job(pipeline, "b").canceled_by == lab.workflow(pipeline).canceled_by == ""
