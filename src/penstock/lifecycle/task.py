"""The states of a task, one parallel copy of a job, and how a job's status follows from its tasks.

::

    queued --claim--> running --pass fail expire break stop--> terminal
      |  ^               |  |                                      ^
      |  '--lose (no work)  '--cancel--> canceling -----------------
      '--cancel--> canceled

A lost agent leaves nothing behind when no step had started: the task is queued again. Otherwise half the
work may be done, so the task ends as an infrastructure failure and the job's plan decides what follows.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from penstock.model.errors import RefusedError
from penstock.model.status import JobStatus, TaskStatus


class TaskMove(StrEnum):
    """What can happen to a task."""

    CLAIM = "claim"  # an agent has taken it
    PASS = "pass"  # noqa: S105 - a verdict, no password
    FAIL = "fail"
    EXPIRE = "expire"
    BREAK = "break"
    STOP = "stop"  # the agent has stopped it
    CANCEL = "cancel"  # it is to be stopped
    LOSE_UNTOUCHED = "lose_untouched"  # its agent is gone, no step had started
    LOSE_WORK = "lose_work"  # its agent is gone, steps had started


_VERDICTS: Final[Mapping[TaskMove, TaskStatus]] = MappingProxyType(
    {
        TaskMove.PASS: TaskStatus.SUCCESS,
        TaskMove.FAIL: TaskStatus.FAILED,
        TaskMove.EXPIRE: TaskStatus.TIMEDOUT,
        TaskMove.BREAK: TaskStatus.INFRASTRUCTURE_FAIL,
        TaskMove.STOP: TaskStatus.CANCELED,
    }
)

TRANSITIONS: Final[Mapping[TaskStatus, Mapping[TaskMove, TaskStatus]]] = MappingProxyType(
    {
        TaskStatus.QUEUED: {
            TaskMove.CLAIM: TaskStatus.RUNNING,
            TaskMove.CANCEL: TaskStatus.CANCELED,
            TaskMove.BREAK: TaskStatus.INFRASTRUCTURE_FAIL,
            TaskMove.LOSE_UNTOUCHED: TaskStatus.QUEUED,
        },
        TaskStatus.RUNNING: {
            **_VERDICTS,
            TaskMove.CLAIM: TaskStatus.RUNNING,
            TaskMove.CANCEL: TaskStatus.CANCELING,
            TaskMove.LOSE_UNTOUCHED: TaskStatus.QUEUED,
            TaskMove.LOSE_WORK: TaskStatus.INFRASTRUCTURE_FAIL,
        },
        TaskStatus.CANCELING: {
            **_VERDICTS,
            TaskMove.CLAIM: TaskStatus.CANCELING,
            TaskMove.CANCEL: TaskStatus.CANCELING,
            TaskMove.LOSE_UNTOUCHED: TaskStatus.CANCELED,
            TaskMove.LOSE_WORK: TaskStatus.CANCELED,
        },
        TaskStatus.SUCCESS: {},
        TaskStatus.FAILED: {},
        TaskStatus.TIMEDOUT: {},
        TaskStatus.INFRASTRUCTURE_FAIL: {},
        TaskStatus.CANCELED: {},
    }
)
"""By status, where each move leads; terminal states have no way out."""

MOVE_OF_VERDICT: Final[Mapping[TaskStatus, TaskMove]] = MappingProxyType(
    {status: move for move, status in _VERDICTS.items()}
)
"""The move that stands for an agent's verdict."""


def advance_task(status: TaskStatus, move: TaskMove) -> TaskStatus:
    """The status after the move; a terminal one stays as it is.

    Raises RefusedError when the table has no such move, which is a mistake of the caller.
    """
    if status.is_terminal:
        return status
    after = TRANSITIONS[status].get(move)
    if after is None:
        raise RefusedError(f"A task that is {status} cannot {move}")
    return after


ROLL_UP: Final[tuple[tuple[TaskStatus, JobStatus], ...]] = (
    (TaskStatus.CANCELING, JobStatus.CANCELING),
    (TaskStatus.RUNNING, JobStatus.RUNNING),
    (TaskStatus.QUEUED, JobStatus.QUEUED),
    (TaskStatus.FAILED, JobStatus.FAILED),
    (TaskStatus.TIMEDOUT, JobStatus.TIMEDOUT),
    (TaskStatus.INFRASTRUCTURE_FAIL, JobStatus.INFRASTRUCTURE_FAIL),
    (TaskStatus.CANCELED, JobStatus.CANCELED),
    (TaskStatus.SUCCESS, JobStatus.SUCCESS),
)
"""The first status of the left column that any task has decides: while one lives, so does the job; a job
passes only when every task did; its own failure is said before a loss, a loss before a stop."""


def roll_up_tasks(statuses: Iterable[TaskStatus]) -> JobStatus:
    """The job's status, from all tasks of its latest attempt.

    When some tasks are queued and others have ended, the job is running. Raises ValueError without tasks.
    """
    present = frozenset(statuses)
    for task_status, job_status in ROLL_UP:
        if task_status in present:
            begun = job_status is JobStatus.QUEUED and len(present) > 1
            return JobStatus.RUNNING if begun else job_status
    raise ValueError("a job has at least one task")
