"""Parallel copies, retries and what counts as a failure of which kind."""

import pytest

from penstock.model.status import Reason, TaskStatus, WorkflowStatus
from tests.support.compact import Compact
from tests.support.lab import LAPSE, Lab


def test_a_job_passes_when_its_last_copy_has_passed(lab: Lab) -> None:
    pipeline = lab.run({"a": {"parallelism": 3}, "b": {"needs": ["a"]}})
    agent = lab.agent()
    first, second, third = agent.claim(3)
    assert [(each.index, each.total) for each in (first, second, third)] == [(0, 3), (1, 3), (2, 3)]
    for assignment in (third, first):
        agent.end(assignment.task)
        assert lab.jobs(pipeline) == {"a": "running", "b": "blocked"}
    agent.end(second.task)
    assert lab.jobs(pipeline) == {"a": "success", "b": "queued"}


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([(TaskStatus.FAILED, Reason.NONE), (TaskStatus.SUCCESS, Reason.NONE)], "failed test"),
        ([(TaskStatus.TIMEDOUT, Reason.NO_OUTPUT), (TaskStatus.SUCCESS, Reason.NONE)], "timedout no_output"),
        ([(TaskStatus.TIMEDOUT, Reason.NONE), (TaskStatus.FAILED, Reason.TEST)], "failed test"),
        (
            [(TaskStatus.INFRASTRUCTURE_FAIL, Reason.INTERNAL), (TaskStatus.SUCCESS, Reason.NONE)],
            "infrastructure_fail internal",
        ),
    ],
)
def test_the_copy_that_decides_gives_the_reason(
    lab: Lab, verdicts: list[tuple[TaskStatus, Reason]], expected: str
) -> None:
    pipeline = lab.run({"a": {"parallelism": 2}})
    agent = lab.agent()
    for assignment, (status, reason) in zip(agent.claim(2), verdicts, strict=True):
        agent.end(assignment.task, status, reason)
    assert lab.jobs(pipeline) == {"a": expected}


def test_a_copy_that_was_lost_gives_the_job_its_rescue_though_another_copy_passed_later(lab: Lab) -> None:
    pipeline = lab.run({"a": {"parallelism": 2}})
    lost, other = lab.agent(), lab.agent()
    lost.begin(lost.take())
    task = other.take()
    lab.clock.advance(LAPSE)
    other.sync()
    lab.pass_time(0)
    other.end(task)
    assert lab.jobs(pipeline) == {"a": "queued"}
    assert lab.job(pipeline, "a").attempt == 2
    for assignment in other.claim(2):
        other.end(assignment.task)
    assert lab.jobs(pipeline) == {"a": "success"}


def test_a_failure_is_tried_again_after_its_delay(lab: Lab) -> None:
    pipeline = lab.run({"a": {"retry": {"attempts": 2, "delay": 60}}})
    agent = lab.agent()
    agent.work(TaskStatus.FAILED)
    assert lab.jobs(pipeline) == {"a": "waiting test"}
    due = lab.pass_time(59)
    assert due == lab.clock.now() + 1000
    assert agent.claim() == ()
    assert lab.pass_time(1) is None
    assert lab.jobs(pipeline) == {"a": "queued"}
    agent.work()
    assert lab.jobs(pipeline) == {"a": "success"}
    assert [task.status for task in lab.tasks(pipeline, "a")] == ["failed", "success"]


def test_the_message_of_a_former_attempt_is_gone(lab: Lab) -> None:
    pipeline = lab.run({"a": {"retry": 2}})
    agent = lab.agent()
    task = agent.take()
    agent.sync(agent.finished(task, TaskStatus.FAILED, Reason.TEST, "it broke"))
    assert lab.job(pipeline, "a").message == ""
    agent.work()
    assert lab.job(pipeline, "a").message == ""


def test_a_failure_without_attempts_left_is_the_verdict_and_keeps_its_message(lab: Lab) -> None:
    pipeline = lab.run({"a": None})
    agent = lab.agent()
    task = agent.take()
    agent.sync(agent.finished(task, TaskStatus.FAILED, Reason.TEST, "it broke"))
    assert lab.job(pipeline, "a").message == "it broke"
    assert lab.ends(pipeline) == [WorkflowStatus.FAILED]


def test_numbers_of_jobs_grow_and_stay_over_attempts(lab: Lab) -> None:
    pipeline = lab.run({"a": {"retry": 2}, "b": None, "wait": {"kind": "approval"}})
    agent = lab.agent()
    agent.work(TaskStatus.FAILED)
    agent.work()
    agent.work()
    numbers = [lab.job(pipeline, key).number for key in ("a", "b", "wait")]
    assert numbers == [1, 2, None]


def test_a_job_of_no_copies_has_one(lab: Lab) -> None:
    pipeline = lab.run({"a": {"parallelism": 0}})
    lab.agent().work()
    assert lab.jobs(pipeline) == {"a": "success"}


def test_a_copy_that_will_wait_for_the_others_is_taken_last_and_sees_how_they_stand(lab: Lab) -> None:
    deploy: Compact = {"kind": "run", "name": "deploy", "command": "ship", "once": True}
    pipeline = lab.run({"a": {"parallelism": 3, "steps": [deploy]}})
    agent = lab.agent()
    second, third, first = agent.claim(3)
    assert [each.index for each in (second, third, first)] == [1, 2, 0]
    assert lab.gateway.find_others(first.task) == (TaskStatus.RUNNING, TaskStatus.RUNNING)
    agent.end(third.task, TaskStatus.FAILED, Reason.TEST)
    assert lab.gateway.find_others(first.task) == (TaskStatus.RUNNING, TaskStatus.FAILED)
    assert lab.gateway.find_others(second.task) == (TaskStatus.RUNNING, TaskStatus.FAILED)
    agent.end(second.task)
    agent.end(first.task)
    assert lab.jobs(pipeline) == {"a": "failed test"}
