from itertools import product

import pytest

from penstock.lifecycle.job import MOVE_OF_VERDICT as JOB_VERDICTS
from penstock.lifecycle.task import MOVE_OF_VERDICT, TaskMove, advance_task, roll_up_tasks
from penstock.model.errors import RefusedError
from penstock.model.status import JobStatus, TaskStatus

T = TaskStatus
J = JobStatus


@pytest.mark.parametrize(
    ("tasks", "job"),
    [
        ([T.QUEUED, T.QUEUED], J.QUEUED),
        ([T.QUEUED, T.RUNNING], J.RUNNING),
        ([T.QUEUED, T.SUCCESS], J.RUNNING),
        ([T.QUEUED, T.FAILED], J.RUNNING),
        ([T.RUNNING, T.CANCELING], J.CANCELING),
        ([T.SUCCESS, T.SUCCESS], J.SUCCESS),
        ([T.SUCCESS, T.FAILED, T.INFRASTRUCTURE_FAIL], J.FAILED),
        ([T.TIMEDOUT, T.INFRASTRUCTURE_FAIL], J.TIMEDOUT),
        ([T.INFRASTRUCTURE_FAIL, T.CANCELED], J.INFRASTRUCTURE_FAIL),
        ([T.CANCELED, T.SUCCESS], J.CANCELED),
    ],
)
def test_a_job_is_what_its_tasks_are(tasks: list[TaskStatus], job: JobStatus) -> None:
    assert roll_up_tasks(tasks) is job


def test_a_job_is_over_exactly_when_its_tasks_are() -> None:
    for tasks in product(TaskStatus, repeat=3):
        assert roll_up_tasks(tasks).is_terminal == all(task.is_terminal for task in tasks)


def test_every_verdict_of_tasks_is_one_a_job_can_finish_with() -> None:
    assert {roll_up_tasks([status]) for status in MOVE_OF_VERDICT} == set(JOB_VERDICTS)


def test_a_job_without_tasks_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="at least one task"):
        roll_up_tasks([])


def test_a_task_that_lost_its_agent_before_work_is_queued_again() -> None:
    assert advance_task(T.RUNNING, TaskMove.LOSE_UNTOUCHED) is T.QUEUED
    assert advance_task(T.RUNNING, TaskMove.LOSE_WORK) is T.INFRASTRUCTURE_FAIL
    assert advance_task(T.CANCELING, TaskMove.LOSE_UNTOUCHED) is T.CANCELED


def test_a_move_that_makes_no_sense_is_refused_in_a_sentence() -> None:
    with pytest.raises(RefusedError, match="A task that is queued cannot pass"):
        advance_task(T.QUEUED, TaskMove.PASS)
