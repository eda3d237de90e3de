"""The working copy of one `advance`: it collects what changes and turns into the state that follows."""

from collections import deque

from penstock.lifecycle.effects import AnyEffect, Enqueue, ReleaseLock, StopJob
from penstock.lifecycle.graph import Graph
from penstock.lifecycle.job import JobMove, advance_job
from penstock.lifecycle.state import JobState, WorkflowState
from penstock.model.status import OUTCOME_OF_JOB, JobKind, JobStatus, Outcome, Reason, WorkflowStatus
from penstock.plan.workflow import JobPlan


class Draft:
    """A state being changed. Only `advance` makes one, and it is gone when `advance` returns.

    `ended` holds the jobs whose end has not yet been felt by those that need them.
    """

    def __init__(self, graph: Graph, state: WorkflowState) -> None:
        self.graph = graph
        self.before = state
        self.jobs: dict[str, JobState] = dict(state.jobs)
        self.locks: dict[str, str] = dict(state.locks)
        self.changed: set[str] = set()
        self.effects: list[AnyEffect] = []
        self.ended: deque[str] = deque()
        self.opened: set[str] = set()  # groups whose jobs have been let go
        self.closed: set[str] = set()  # groups whose end has been felt
        self.begun = state.begun
        self.cancel_reason = state.reason if state.status is WorkflowStatus.CANCELING else None

    def plan_of(self, key: str) -> JobPlan:
        """The job as the plan has it."""
        return self.graph.plan.jobs[key]

    def outcome_of(self, key: str) -> Outcome | None:
        """How the job ended, None while it lives."""
        return OUTCOME_OF_JOB.get(self.jobs[key].status)

    def put(self, key: str, job: JobState) -> None:
        """The job is now as given; when that is its end, its lock is free and others will feel it."""
        before = self.jobs[key]
        if job == before:
            return
        self.jobs[key] = job
        self.changed.add(key)
        if job.status.is_terminal and not before.status.is_terminal:
            self.ended.append(key)
            self._release_own(key, was_waiting=before.status is JobStatus.WAITING)

    def move(self, key: str, move: JobMove, reason: Reason = Reason.NONE) -> None:
        """The job has made the move, for the reason. Raises RefusedError when it cannot."""
        job = self.jobs[key]
        self.put(key, replace_status(job, advance_job(job.status, move), reason))

    def enqueue(self, key: str) -> None:
        """A new attempt of the job can be taken by an agent."""
        job = self.jobs[key]
        attempt = job.attempt + 1
        status = advance_job(job.status, JobMove.ENQUEUE)
        self.put(
            key,
            JobState(status=status, attempt=attempt, losses=job.losses, approved_by=job.approved_by),
        )
        self.effects.append(Enqueue(key=key, attempt=attempt))

    def cancel(self, key: str, reason: Reason) -> None:
        """The job has ended, or will as soon as its agent has stopped it. Nothing when it already had."""
        status = self.jobs[key].status
        if status.is_terminal or status is JobStatus.CANCELING:
            return
        self.move(key, JobMove.CANCEL, reason)
        if status in {JobStatus.QUEUED, JobStatus.RUNNING}:
            self.effects.append(StopJob(key=key, reason=reason))

    def _release_own(self, key: str, *, was_waiting: bool) -> None:
        """The lock the job holds or waits for is given back; a lock job that got its lock keeps it."""
        plan = self.plan_of(key)
        name = lock_name(plan)
        if name is None or (plan.kind is JobKind.LOCK and self.jobs[key].status is JobStatus.SUCCESS):
            return
        if was_waiting or self.locks.get(name) == key:
            self.release_lock(name, key)

    def release_lock(self, name: str, key: str) -> None:
        """The job neither holds the lock nor waits for it."""
        if self.locks.get(name) == key:
            del self.locks[name]
        self.effects.append(ReleaseLock(name=name, key=key))


def replace_status(job: JobState, status: JobStatus, reason: Reason) -> JobState:
    """The job with another status and reason and all else as it was."""
    return JobState(
        status=status,
        reason=reason,
        attempt=job.attempt,
        losses=job.losses,
        approved_by=job.approved_by,
    )


def lock_name(plan: JobPlan) -> str | None:
    """The lock a job must hold before it runs, None for most."""
    match plan.kind:
        case JobKind.LOCK:
            return plan.lock
        case JobKind.UNLOCK | JobKind.APPROVAL:
            return None
        case _:
            return plan.serial_group
