"""Carries out what the lifecycle asks for: tasks, locks, timers, follow-ups, the ends of workflows."""

from collections.abc import Sequence
from functools import partial
from typing import assert_never

from penstock.engine.clearance import refuse_unauthorized
from penstock.engine.ending import end_workflow, tell_pipeline
from penstock.engine.flow import Flow, loaded_flows
from penstock.engine.follow import make_follow_up
from penstock.engine.locking import ask_lock, give_all_back, give_back
from penstock.engine.unit import Unit
from penstock.engine.uploads import delete_quietly
from penstock.engine.usage import note_stopped
from penstock.kit.ids import new_id
from penstock.lifecycle.effects import (
    AcquireLock,
    AnyEffect,
    Enqueue,
    HoldFollowUp,
    LimitTime,
    ReleaseLock,
    RetryAfter,
    StartFollowUp,
    StopJob,
    WorkflowEnded,
)
from penstock.lifecycle.events import JobFinished
from penstock.lifecycle.task import TaskMove, advance_task, roll_up_tasks
from penstock.model.run import Task
from penstock.model.status import JobKind, JobStatus, Reason, TaskStatus
from penstock.plan.step import Run
from penstock.plan.workflow import JobPlan
from penstock.store import counters, tasks, timers, workspaces
from penstock.store.tasks import TaskChange

RETRY = "retry"
LIMIT = "limit"


def settle(unit: Unit) -> None:
    """Carry out all that is pending in the transaction's workflows, save them, and tell of ends."""
    while (flow := next((each for each in loaded_flows(unit) if each.pending), None)) is not None:
        while flow.pending:
            _carry_out(unit, flow, flow.pending.popleft())
    for flow in loaded_flows(unit):
        flow.save()
    for pipeline_id in sorted(unit.ended):
        tell_pipeline(unit, pipeline_id)
    unit.ended.clear()


def _carry_out(unit: Unit, flow: Flow, effect: AnyEffect) -> None:
    """Do what the effect says; other workflows may have something pending because of it."""
    match effect:
        case Enqueue():
            _enqueue(unit, flow, effect)
        case StopJob():
            _stop_job(unit, flow, effect)
        case RetryAfter() | LimitTime():
            _set_timer(unit, flow, effect)
        case AcquireLock(name=name, key=key):
            ask_lock(unit, flow, name, key)
        case ReleaseLock(name=name, key=key):
            give_back(unit, flow, name, key)
        case WorkflowEnded():
            give_all_back(unit, flow)
            end_workflow(unit, flow)
        case StartFollowUp() | HoldFollowUp():
            make_follow_up(unit, flow, effect.name, held=isinstance(effect, HoldFollowUp))
        case _:
            assert_never(effect)


def _enqueue(unit: Unit, flow: Flow, effect: Enqueue) -> None:
    """Make the tasks of an attempt; the first attempt gives the job its number.

    A job that may not use its contexts gets neither.
    """
    if refuse_unauthorized(unit, flow, effect.key):
        return
    plan = flow.facts.graph.plan.jobs[effect.key]
    job_id, _ = flow.ids[effect.key]
    if effect.attempt == 1 and plan.kind in {JobKind.BUILD, JobKind.RELEASE}:
        number = counters.next_number(unit.tx, flow.facts.project.id, counters.CounterKind.JOB)
        flow.change_of(effect.key).number = number
    if effect.attempt > 1:
        _drop_layers(unit, flow, effect.key)
    new = [_make_task(unit, job_id, index, effect.attempt) for index in _order_copies(plan)]
    # A local pipeline's tasks are for the agent of its own command, whatever labels the plan names.
    owner = tasks.organization_label(flow.facts.organization.id)
    labels = [flow.facts.pipeline.uuid] if flow.facts.is_local else [*plan.executor.labels, owner]
    tasks.insert_tasks(unit.tx, new, labels=labels, priority=plan.priority)
    unit.wake = True


def _order_copies(plan: JobPlan) -> list[int]:
    """The copies as they are to be claimed: one that will wait for all others comes after them."""
    copies = list(range(max(plan.parallelism, 1)))
    waits = any(isinstance(step, Run) and step.once for step in plan.steps)
    return [*copies[1:], 0] if waits else copies


def _make_task(unit: Unit, job_id: int, index: int, attempt: int) -> Task:
    return Task(
        id=0,
        uuid=new_id(),
        job_id=job_id,
        index=index,
        attempt=attempt,
        status=TaskStatus.QUEUED,
        reason=Reason.NONE,
        agent_id=None,
        lease_until=None,
        queued_at=unit.now,
        started_at=None,
        stopped_at=None,
    )


def _drop_layers(unit: Unit, flow: Flow, key: str) -> None:
    """What an earlier attempt added to the workspace is not attached beside what this one will add."""
    for blob in workspaces.drop_layers(unit.tx, flow.facts.workspace, key):
        unit.afterwards.append(partial(delete_quietly, unit.parts.blobs, blob))


def _stop_job(unit: Unit, flow: Flow, effect: StopJob) -> None:
    """End the tasks nobody has; agents that have one learn of it by their next exchange."""
    job_id, _ = flow.ids[effect.key]
    attempt = flow.state.jobs[effect.key].attempt
    for task in tasks.tasks_of(unit.tx, job_id, attempt=attempt):
        if not task.status.is_terminal:
            _stop_task(unit, task.uuid, effect.reason)
    unit.wake = True
    copies = [(task.status, task.reason) for task in tasks.tasks_of(unit.tx, job_id, attempt=attempt)]
    if copies and all(status.is_terminal for status, _ in copies):
        status, reason = judge_copies(copies)
        if flow.apply(JobFinished(key=effect.key, attempt=attempt, status=status, reason=reason)):
            note_stopped(unit, flow, effect.key, attempt, status)


def _stop_task(unit: Unit, uuid: str, reason: Reason) -> None:
    """Stop the task as it is now: an agent may claim a queued one without asking for its workflow."""
    held = tasks.lock_task(unit.tx, uuid)
    if held is None or held.task.status is TaskStatus.CANCELING:
        return
    change = TaskChange(
        id=held.task.id, status=advance_task(held.task.status, TaskMove.CANCEL), reason=reason
    )
    if change.status is TaskStatus.CANCELED:
        change.stopped_at = unit.now
    tasks.update_tasks(unit.tx, [change])


def judge_copies(copies: Sequence[tuple[TaskStatus, Reason]]) -> tuple[JobStatus, Reason]:
    """The verdict of an attempt whose copies have all ended, and the reason of the one that decided it."""
    verdict = roll_up_tasks(status for status, _ in copies)
    deciding = (reason for status, reason in copies if status.value == verdict.value)
    return verdict, next(deciding, Reason.NONE)


def _set_timer(unit: Unit, flow: Flow, effect: RetryAfter | LimitTime) -> None:
    """Have the lifecycle hear of it when the time is over."""
    due_at = unit.now + round(effect.seconds * 1000)
    payload: dict[str, object] = {"workflow": flow.row.id}
    if isinstance(effect, RetryAfter):
        payload |= {"key": effect.key, "attempt": effect.attempt}
        timers.set_timer(unit.tx, RETRY, f"{flow.row.uuid}/{effect.key}", due_at=due_at, payload=payload)
    else:
        payload |= {"group": effect.group}
        subject = f"{flow.row.uuid}/{effect.group or ''}"
        timers.set_timer(unit.tx, LIMIT, subject, due_at=due_at, payload=payload)
