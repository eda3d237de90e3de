"""One event after the other: what each means for the jobs of a workflow and for its verdict.

`advance` is the only way a workflow changes. It is pure: the engine reads the state, calls it, and writes
the changed rows and the effects in one transaction.

::

    queued --begin--> running <--> on_hold            canceling ends as canceled, whatever its
       |                 |  ^                         jobs say, once no agent holds one of them
       |                 v  |
       |              failing --> failed               a held workflow is on_hold before it begins
       '--cancel--> canceling --> canceled
"""

from typing import assert_never

from penstock.lifecycle.attempts import finish_job, lose_job, retry_job, start_job
from penstock.lifecycle.draft import Draft, lock_name
from penstock.lifecycle.effects import LimitTime, StopJob, WorkflowEnded
from penstock.lifecycle.events import (
    AnyEvent,
    Approved,
    Begin,
    CancelRequested,
    JobCancelRequested,
    JobFinished,
    JobLost,
    JobRefused,
    JobStarted,
    LockGranted,
    RetryDue,
    TimeLimitReached,
)
from penstock.lifecycle.follow_up import choose_follow_ups
from penstock.lifecycle.graph import Graph
from penstock.lifecycle.job import JobMove, advance_job
from penstock.lifecycle.rollup import find_reason, roll_up_jobs
from penstock.lifecycle.settle import consider_all, proceed, settle
from penstock.lifecycle.state import Advance, JobState, WorkflowState, make_state
from penstock.model.errors import NotFoundError, RefusedError
from penstock.model.status import JobKind, JobStatus, Reason, WorkflowStatus
from penstock.plan.workflow import Start


def start(graph: Graph, *, held: bool = False) -> Advance:
    """A new workflow's first state.

    It has begun unless its queue is serialized or a person is to start it: then `Begin` has to follow.
    """
    held = held or graph.plan.start is Start.HELD
    state = make_state(graph, held=held)
    queue = graph.plan.queue
    if held or (queue is not None and queue.serialized):
        return Advance(state=state, changed=frozenset(state.jobs))
    begun = advance(graph, state, Begin())
    return Advance(state=begun.state, changed=frozenset(state.jobs), effects=begun.effects)


def advance(graph: Graph, state: WorkflowState, event: AnyEvent) -> Advance:
    """The state after the event, and what is to be done.

    An event that is late or doubled changes nothing, and nothing changes a workflow that has ended.
    Raises RefusedError when the event makes no sense for the job it names, NotFoundError when there is no
    such job or group.
    """
    if state.status.is_terminal:
        return Advance(state=state)
    draft = Draft(graph, state)
    apply_event(draft, event)
    if draft.begun:
        settle(draft)
    return conclude(draft)


def apply_event(draft: Draft, event: AnyEvent) -> None:
    """What the event itself says is in the draft; what follows from it is not yet."""
    match event:
        case Begin():
            begin(draft)
        case CancelRequested(reason=reason):
            cancel_all(draft, reason)
        case TimeLimitReached(group=group):
            end_time(draft, group)
        case _:
            job = draft.jobs.get(event.key)
            if job is None:
                raise NotFoundError(f"Workflow {draft.graph.plan.name} has no job {event.key!r}")
            if not job.status.is_terminal:
                apply_job_event(draft, event, job)


JobEvent = (
    JobStarted | JobFinished | JobLost | LockGranted | RetryDue | Approved | JobRefused | JobCancelRequested
)
"""The events that name a job."""


def apply_job_event(draft: Draft, event: JobEvent, job: JobState) -> None:
    """What the event says about its job, which lives, is in the draft."""
    match event:
        case JobStarted():
            start_job(draft, event, job)
        case JobFinished():
            finish_job(draft, event, job)
        case JobLost():
            lose_job(draft, event, job)
        case RetryDue():
            retry_job(draft, event, job)
        case LockGranted(key=key):
            grant_lock(draft, key, job)
        case Approved():
            approve(draft, event, job)
        case JobRefused():
            refuse(draft, event, job)
        case JobCancelRequested(key=key, reason=reason):
            draft.cancel(key, reason)
        case unreachable:
            assert_never(unreachable)


def begin(draft: Draft) -> None:
    """Every job whose turn has come has started. Nothing the second time."""
    if draft.begun:
        return
    draft.begun = True
    limit = draft.graph.plan.time_limit
    if limit is not None:
        draft.effects.append(LimitTime(group=None, seconds=limit))
    consider_all(draft)


def cancel_all(draft: Draft, reason: Reason) -> None:
    """No job starts any more, those with an agent are asked to stop. The first reason stays."""
    if draft.cancel_reason is not None:
        return
    draft.cancel_reason = reason
    for key in draft.jobs:
        draft.cancel(key, reason)


def end_time(draft: Draft, group: str | None) -> None:
    """All jobs of the group, or of the workflow, have ended or been asked to stop."""
    if group is None:
        cancel_all(draft, Reason.TIMEOUT)
    elif group in draft.graph.members:
        for key in draft.graph.members[group]:
            draft.cancel(key, Reason.TIMEOUT)
    else:
        raise NotFoundError(f"Workflow {draft.graph.plan.name} has no group {group!r}")


def grant_lock(draft: Draft, key: str, job: JobState) -> None:
    """The job holds its lock and goes on. Nothing when it had it already."""
    name = lock_name(draft.plan_of(key))
    if name is None or job.status is JobStatus.BLOCKED:
        raise RefusedError(f"Job {key!r} has not asked for a lock")
    holder = draft.locks.get(name)
    if holder == key or job.status is not JobStatus.WAITING:
        return
    if holder is not None:
        raise RefusedError(f"Lock {name!r} was granted to {key!r} while {holder!r} holds it")
    draft.locks[name] = key
    proceed(draft, key)


def approve(draft: Draft, event: Approved, job: JobState) -> None:
    """The approval has passed."""
    if draft.plan_of(event.key).kind is not JobKind.APPROVAL:
        raise RefusedError(f"Job {event.key!r} is no approval")
    if job.status is not JobStatus.ON_HOLD:
        raise RefusedError(f"Approval {event.key!r} is {job.status}: the jobs before it have not ended")
    status = advance_job(job.status, JobMove.APPROVE)
    draft.put(event.key, JobState(status=status, attempt=job.attempt, approved_by=event.by))


REFUSALS = {
    JobStatus.UNAUTHORIZED: JobMove.REFUSE,
    JobStatus.INFRASTRUCTURE_FAIL: JobMove.BREAK,
    JobStatus.NOT_RUN: JobMove.DROP,
}
"""The ways in which a job can be turned away before it starts."""


def refuse(draft: Draft, event: JobRefused, job: JobState) -> None:
    """The job has ended without having started. Nothing when an agent was faster."""
    move = REFUSALS.get(event.status)
    if move is None:
        raise RefusedError(f"Job {event.key!r} cannot be refused as {event.status}")
    if job.status.is_active:
        return
    draft.move(event.key, move, event.reason)
    if job.status is JobStatus.QUEUED:
        draft.effects.append(StopJob(key=event.key, reason=event.reason))


def conclude(draft: Draft) -> Advance:
    """The draft as a state with its verdict, or the old state when nothing has changed."""
    before = draft.before
    status, reason = judge_workflow(draft)
    if status.is_terminal:
        for name, key in list(draft.locks.items()):
            draft.release_lock(name, key)
        draft.effects.append(WorkflowEnded(status=status, reason=reason))
        draft.effects.extend(choose_follow_ups(draft.graph.plan, status, reason))
    same = status is before.status and draft.begun == before.begun
    if same and not draft.changed and not draft.effects:
        return Advance(state=before)
    state = WorkflowState(jobs=draft.jobs, status=status, reason=reason, begun=draft.begun, locks=draft.locks)
    return Advance(state=state, changed=frozenset(draft.changed), effects=tuple(draft.effects))


def judge_workflow(draft: Draft) -> tuple[WorkflowStatus, Reason]:
    """The workflow's status and reason. Once canceled it never ends otherwise."""
    statuses = {job.status for job in draft.jobs.values()}
    if draft.cancel_reason is not None:
        over = all(status.is_terminal for status in statuses)
        return (WorkflowStatus.CANCELED if over else WorkflowStatus.CANCELING), draft.cancel_reason
    if not draft.begun:
        return draft.before.status, draft.before.reason
    status = roll_up_jobs(statuses)
    return status, find_reason(status, draft.jobs.values()) if status.is_terminal else Reason.NONE
