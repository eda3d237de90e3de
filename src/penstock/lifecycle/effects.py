"""What the engine has to do after an event, as values it turns into rows in the same transaction."""

import msgspec

from penstock.model.status import Reason, WorkflowStatus


class Effect(msgspec.Struct, frozen=True, kw_only=True, tag_field="effect"):
    """What every effect has."""


class Enqueue(Effect, frozen=True, kw_only=True, tag="enqueue"):
    """Make the tasks of a new attempt of the job, for agents to take. Said once per attempt."""

    key: str
    attempt: int


class StopJob(Effect, frozen=True, kw_only=True, tag="stop_job"):
    """End the job's tasks: those no agent has at once, the others by telling their agents."""

    key: str
    reason: Reason


class AcquireLock(Effect, frozen=True, kw_only=True, tag="acquire_lock"):
    """Put the job in the lock's queue; `LockGranted` is to follow when it holds the lock."""

    name: str
    key: str


class ReleaseLock(Effect, frozen=True, kw_only=True, tag="release_lock"):
    """Give back the lock, or the place in its queue. Nothing happens when the job has neither."""

    name: str
    key: str


class RetryAfter(Effect, frozen=True, kw_only=True, tag="retry_after"):
    """Send `RetryDue` with this key and attempt when so many seconds have passed."""

    key: str
    attempt: int  # the one that ended
    seconds: float


class LimitTime(Effect, frozen=True, kw_only=True, tag="limit_time"):
    """Send `TimeLimitReached` when so many seconds have passed and the group (or workflow) lives."""

    group: str | None
    seconds: float


class WorkflowEnded(Effect, frozen=True, kw_only=True, tag="workflow_ended"):
    """The workflow has its verdict. Said once."""

    status: WorkflowStatus
    reason: Reason


class StartFollowUp(Effect, frozen=True, kw_only=True, tag="start_follow_up"):
    """Make the follow-up of this name and let it begin."""

    name: str


class HoldFollowUp(Effect, frozen=True, kw_only=True, tag="hold_follow_up"):
    """Make the follow-up of this name, for a person to start."""

    name: str


AnyEffect = (
    Enqueue
    | StopJob
    | AcquireLock
    | ReleaseLock
    | RetryAfter
    | LimitTime
    | WorkflowEnded
    | StartFollowUp
    | HoldFollowUp
)
"""The closed union, for `match` to exhaust."""
