"""The states of a job and what moves it from one to the next.

::

              hold            approve
         .--------> on_hold ----------------------------------------.
         |                                                          v
         | wait                pass (a lock is all it wanted)    success
    blocked -------> waiting -----------------------------------^   ^
         |            |   ^                                         |
         | enqueue    |   | wait (before another attempt)           |
         |            v   |                                         |
         '---------> queued ----> running ----------------> success | failed | timedout
                        start  ^     |    pass fail expire          | infrastructure_fail | canceled
                               |     | cancel               ^
            requeue (its agent |     v                      |
            went before work) -'  canceling ----------------'   the agent's word, whatever it is

Without an agent: cancel ends what has not started as canceled, refuse as unauthorized, break as
infrastructure_fail; skip and drop end a job whose turn never comes as skipped or not_run.

A cancel waits for the agent. What the agent then says is the verdict: a job that passed before the stop
reached it is a success, one that was stopped is canceled. CircleCI and Semaphore show the same, and the
canceled workflow stays canceled all the same.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from penstock.model.errors import RefusedError
from penstock.model.status import JobStatus


class JobMove(StrEnum):
    """What can happen to a job."""

    HOLD = "hold"  # its turn has come, a person must approve
    WAIT = "wait"  # for a lock, or for the delay before another attempt
    ENQUEUE = "enqueue"  # an agent may take a new attempt
    REQUEUE = "requeue"  # an agent may take the same attempt again
    START = "start"  # an agent has taken it
    APPROVE = "approve"
    PASS = "pass"  # noqa: S105 - a verdict, no password
    FAIL = "fail"
    EXPIRE = "expire"  # it took too long
    BREAK = "break"  # we could not run it, or its agent is lost
    STOP = "stop"  # it has been stopped
    CANCEL = "cancel"  # it is to be stopped
    REFUSE = "refuse"  # it may not run
    DROP = "drop"  # its turn will never come
    SKIP = "skip"  # its own condition said no


_VERDICTS: Final[Mapping[JobMove, JobStatus]] = MappingProxyType(
    {
        JobMove.PASS: JobStatus.SUCCESS,
        JobMove.FAIL: JobStatus.FAILED,
        JobMove.EXPIRE: JobStatus.TIMEDOUT,
        JobMove.BREAK: JobStatus.INFRASTRUCTURE_FAIL,
        JobMove.STOP: JobStatus.CANCELED,
    }
)

_UNSTARTED: Final[Mapping[JobMove, JobStatus]] = MappingProxyType(
    {
        JobMove.CANCEL: JobStatus.CANCELED,
        JobMove.REFUSE: JobStatus.UNAUTHORIZED,
        JobMove.BREAK: JobStatus.INFRASTRUCTURE_FAIL,
        JobMove.DROP: JobStatus.NOT_RUN,
    }
)

TRANSITIONS: Final[Mapping[JobStatus, Mapping[JobMove, JobStatus]]] = MappingProxyType(
    {
        JobStatus.BLOCKED: {
            **_UNSTARTED,
            JobMove.HOLD: JobStatus.ON_HOLD,
            JobMove.WAIT: JobStatus.WAITING,
            JobMove.ENQUEUE: JobStatus.QUEUED,
            JobMove.PASS: JobStatus.SUCCESS,
            JobMove.SKIP: JobStatus.SKIPPED,
        },
        JobStatus.ON_HOLD: {**_UNSTARTED, JobMove.APPROVE: JobStatus.SUCCESS},
        JobStatus.WAITING: {
            **_UNSTARTED,
            JobMove.ENQUEUE: JobStatus.QUEUED,
            JobMove.PASS: JobStatus.SUCCESS,
        },
        JobStatus.QUEUED: {
            **_VERDICTS,
            **_UNSTARTED,
            JobMove.START: JobStatus.RUNNING,
            JobMove.WAIT: JobStatus.WAITING,
            JobMove.ENQUEUE: JobStatus.QUEUED,
            JobMove.REQUEUE: JobStatus.QUEUED,
        },
        JobStatus.RUNNING: {
            **_VERDICTS,
            JobMove.START: JobStatus.RUNNING,
            JobMove.WAIT: JobStatus.WAITING,
            JobMove.ENQUEUE: JobStatus.QUEUED,
            JobMove.REQUEUE: JobStatus.QUEUED,
            JobMove.CANCEL: JobStatus.CANCELING,
        },
        JobStatus.CANCELING: {
            **_VERDICTS,
            JobMove.START: JobStatus.CANCELING,
            JobMove.CANCEL: JobStatus.CANCELING,
        },
        JobStatus.SUCCESS: {},
        JobStatus.FAILED: {},
        JobStatus.TIMEDOUT: {},
        JobStatus.INFRASTRUCTURE_FAIL: {},
        JobStatus.CANCELED: {},
        JobStatus.UNAUTHORIZED: {},
        JobStatus.NOT_RUN: {},
        JobStatus.SKIPPED: {},
    }
)
"""By status, where each move leads; terminal states have no way out."""

MOVE_OF_VERDICT: Final[Mapping[JobStatus, JobMove]] = MappingProxyType(
    {status: move for move, status in _VERDICTS.items()}
)
"""The move that stands for an agent's verdict."""


def advance_job(status: JobStatus, move: JobMove) -> JobStatus:
    """The status after the move; a terminal one stays as it is.

    Raises RefusedError when the table has no such move, which is a mistake of the caller.
    """
    if status.is_terminal:
        return status
    after = TRANSITIONS[status].get(move)
    if after is None:
        raise RefusedError(f"A job that is {status} cannot {move}")
    return after
