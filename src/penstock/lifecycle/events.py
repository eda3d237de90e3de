"""What can happen to a workflow, as values. Each may arrive late or twice without harm.

Events about an attempt of a job name it, so that the word of an agent about an old attempt is never taken
for the new one.
"""

import msgspec

from penstock.model.status import JobStatus, Reason


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event"):
    """What every event has."""


class Begin(Event, frozen=True, kw_only=True, tag="begin"):
    """The workflow leaves its queue, or a person starts a held one."""


class JobStarted(Event, frozen=True, kw_only=True, tag="job_started"):
    """An agent has taken the first task of the attempt."""

    key: str
    attempt: int


class JobFinished(Event, frozen=True, kw_only=True, tag="job_finished"):
    """All tasks of the attempt have ended; `status` is their roll-up.

    One of success, failed, timedout, infrastructure_fail, canceled. The loss of an agent after work had
    begun is infrastructure_fail with reason agent_lost.
    """

    key: str
    attempt: int
    status: JobStatus
    reason: Reason = Reason.NONE


class JobLost(Event, frozen=True, kw_only=True, tag="job_lost"):
    """The agents that had the attempt are gone.

    Without `work_started` the attempt's tasks are queued again, and no effect says so. With it the attempt
    has ended, just as if `JobFinished` had said agent_lost.
    """

    key: str
    attempt: int
    work_started: bool


class LockGranted(Event, frozen=True, kw_only=True, tag="lock_granted"):
    """The job holds the lock it waits for."""

    key: str


class RetryDue(Event, frozen=True, kw_only=True, tag="retry_due"):
    """The delay after this attempt is over."""

    key: str
    attempt: int


class Approved(Event, frozen=True, kw_only=True, tag="approved"):
    """A person let the approval pass."""

    key: str
    by: str


class JobRefused(Event, frozen=True, kw_only=True, tag="job_refused"):
    """The job cannot start and never will.

    `status` is unauthorized (a context or policy says no), infrastructure_fail (no agent can ever take
    it) or not_run (a newer pipeline holds its place in the lock's queue). Too late once an agent has it.
    """

    key: str
    status: JobStatus
    reason: Reason


class JobCancelRequested(Event, frozen=True, kw_only=True, tag="job_cancel_requested"):
    """The job is to stop; its workflow goes on."""

    key: str
    reason: Reason = Reason.USER


class CancelRequested(Event, frozen=True, kw_only=True, tag="cancel_requested"):
    """The whole workflow is to stop and will end as canceled."""

    reason: Reason = Reason.USER


class TimeLimitReached(Event, frozen=True, kw_only=True, tag="time_limit_reached"):
    """The time of a group, or of the whole workflow (None), is over."""

    group: str | None = None


AnyEvent = (
    Begin
    | JobStarted
    | JobFinished
    | JobLost
    | LockGranted
    | RetryDue
    | Approved
    | JobRefused
    | JobCancelRequested
    | CancelRequested
    | TimeLimitReached
)
"""The closed union, for `match` to exhaust."""
