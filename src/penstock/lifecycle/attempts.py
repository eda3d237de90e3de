"""What agents say about an attempt of a job, and when a job gets another one."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from penstock.lifecycle.draft import Draft
from penstock.lifecycle.effects import RetryAfter
from penstock.lifecycle.events import JobFinished, JobLost, JobStarted, RetryDue
from penstock.lifecycle.job import MOVE_OF_VERDICT, JobMove
from penstock.lifecycle.settle import may_go_on
from penstock.lifecycle.state import JobState
from penstock.model.errors import RefusedError
from penstock.model.status import JobStatus, Reason
from penstock.plan.step import Retry

OWN_FAILURES: Final = frozenset({JobStatus.FAILED, JobStatus.TIMEDOUT})
"""Verdicts after which the job's own `retry` counts."""

LOSSES: Final = frozenset({Reason.AGENT_LOST, Reason.INTERRUPTED})
"""Reasons of an infrastructure failure after which `rescue` counts: the work was cut short from outside."""

REASON_OF_VERDICT: Final[Mapping[JobStatus, Reason]] = MappingProxyType(
    {JobStatus.FAILED: Reason.TEST, JobStatus.TIMEDOUT: Reason.TIMEOUT, JobStatus.CANCELED: Reason.USER}
)
"""The reason of a verdict that came without one."""


def start_job(draft: Draft, event: JobStarted, job: JobState) -> None:
    """The job runs, unless the word is about an older attempt."""
    if is_current(event, job):
        draft.move(event.key, JobMove.START, job.reason)


def finish_job(draft: Draft, event: JobFinished, job: JobState) -> None:
    """The attempt is over: the job has its verdict or gets another attempt."""
    if event.status not in MOVE_OF_VERDICT:
        raise RefusedError(f"Job {event.key!r} cannot finish as {event.status}")
    if not is_current(event, job):
        return
    reason = event.reason or REASON_OF_VERDICT.get(event.status, Reason.NONE)
    lost = event.status is JobStatus.INFRASTRUCTURE_FAIL and reason in LOSSES
    if job.status is JobStatus.CANCELING:
        stopped = lost or event.status is JobStatus.CANCELED
        move = JobMove.STOP if stopped else MOVE_OF_VERDICT[event.status]
        draft.move(event.key, move, job.reason if stopped else reason)
        return
    if lost:
        count_loss(draft, event.key)
    again = another_attempt(draft, event, lost=lost)
    if again is None:
        draft.move(event.key, MOVE_OF_VERDICT[event.status], reason)
    else:
        try_again(draft, event.key, again.delay, reason)


def lose_job(draft: Draft, event: JobLost, job: JobState) -> None:
    """The job waits for an agent again, has stopped as it was asked to, or has lost an attempt."""
    if event.work_started:
        finished = JobFinished(
            key=event.key,
            attempt=event.attempt,
            status=JobStatus.INFRASTRUCTURE_FAIL,
            reason=Reason.AGENT_LOST,
        )
        finish_job(draft, finished, job)
    elif is_current(event, job):
        if job.status is JobStatus.CANCELING:
            draft.move(event.key, JobMove.STOP, job.reason)
        elif may_go_on(draft, event.key):
            draft.move(event.key, JobMove.REQUEUE)
        else:
            draft.move(event.key, JobMove.REQUEUE)
            draft.cancel(event.key, Reason.FAST_FAILING)


def retry_job(draft: Draft, event: RetryDue, job: JobState) -> None:
    """The job that waited after this attempt is queued again."""
    if event.attempt < 1:
        raise RefusedError(f"Job {event.key!r} was never tried, so it cannot be tried again")
    if job.status is JobStatus.WAITING and job.attempt == event.attempt:
        draft.enqueue(event.key)


def is_current(event: JobStarted | JobFinished | JobLost, job: JobState) -> bool:
    """True when the event is about the attempt that agents have now, false when it comes too late.

    Raises RefusedError for an attempt that was never made.
    """
    if event.attempt > job.attempt or event.attempt < 1:
        raise RefusedError(f"Job {event.key!r} has no attempt {event.attempt}, it is {job.status}")
    return event.attempt == job.attempt and job.status is not JobStatus.WAITING


def another_attempt(draft: Draft, event: JobFinished, *, lost: bool) -> Retry | None:
    """The rule that gives the job another attempt, None when it must do with the verdict."""
    plan, job = draft.plan_of(event.key), draft.jobs[event.key]
    if lost:
        rule, used = plan.rescue, job.losses
    elif event.status in OWN_FAILURES:
        rule, used = plan.retry, job.attempt - job.losses
    else:
        return None
    return rule if used < rule.attempts and may_go_on(draft, event.key) else None


def count_loss(draft: Draft, key: str) -> None:
    """The job has lost one more agent."""
    job = draft.jobs[key]
    draft.put(key, JobState(status=job.status, reason=job.reason, attempt=job.attempt, losses=job.losses + 1))


def try_again(draft: Draft, key: str, delay: float, reason: Reason) -> None:
    """The job is queued again, at once or after the delay; while it waits it says why."""
    if delay > 0:
        draft.move(key, JobMove.WAIT, reason)
        draft.effects.append(RetryAfter(key=key, attempt=draft.jobs[key].attempt, seconds=delay))
    else:
        draft.enqueue(key)
