"""Carries out what the lifecycle asks for: tasks, locks, timers, follow-ups, the ends of workflows."""

from collections import deque
from typing import assert_never

from penstock.engine.ending import end_workflow
from penstock.engine.flow import Flow, load_flow
from penstock.engine.follow import make_follow_up
from penstock.engine.unit import Unit
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
from penstock.lifecycle.events import Begin, JobFinished, LockGranted
from penstock.lifecycle.task import TaskMove, advance_task, roll_up_tasks
from penstock.model.run import Task
from penstock.model.status import JobKind, Reason, TaskStatus
from penstock.store import counters, locks, tasks, timers
from penstock.store.locks import LockEntry, LockOwner
from penstock.store.tasks import TaskChange

RETRY = "retry"
LIMIT = "limit"


def settle(unit: Unit, *flows: Flow) -> None:
    """Carry out all that is pending in the flows, and in those they wake, then save them all."""
    known = {flow.row.id: flow for flow in flows}
    todo = deque(flows)
    while todo:
        flow = todo.popleft()
        while flow.pending:
            todo.extend(_carry_out(unit, flow, flow.pending.popleft(), known))
    for flow in known.values():
        flow.save()


def _carry_out(unit: Unit, flow: Flow, effect: AnyEffect, known: dict[int, Flow]) -> list[Flow]:
    """Do what the effect says; returns other flows that have something pending because of it."""
    match effect:
        case Enqueue():
            _enqueue(unit, flow, effect)
        case StopJob():
            _stop_job(unit, flow, effect)
        case RetryAfter() | LimitTime():
            _set_timer(unit, flow, effect)
        case AcquireLock(name=name, key=key):
            if locks.acquire_lock(unit.tx, _owner(flow, name, key), now=unit.now):
                flow.apply(LockGranted(key=key))
        case ReleaseLock(name=name, key=key):
            granted = locks.release_lock(unit.tx, _owner(flow, name, key))
            return _hand_over(unit, [granted] if granted else [], known)
        case WorkflowEnded():
            granted_now = locks.release_all(unit.tx, flow.row.id)
            made = end_workflow(unit, flow)
            return [*_hand_over(unit, granted_now, known), *_remember(made, known)]
        case StartFollowUp() | HoldFollowUp():
            held = isinstance(effect, HoldFollowUp)
            return _remember(make_follow_up(unit, flow, effect.name, held=held), known)
        case _:
            assert_never(effect)
    return []


def _enqueue(unit: Unit, flow: Flow, effect: Enqueue) -> None:
    """Make the tasks of an attempt; the first attempt gives the job its number."""
    plan = flow.facts.graph.plan.jobs[effect.key]
    job_id, _ = flow.ids[effect.key]
    if effect.attempt == 1 and plan.kind in {JobKind.BUILD, JobKind.RELEASE}:
        number = counters.next_number(unit.tx, flow.facts.project.id, counters.CounterKind.JOB)
        flow.change_of(effect.key).number = number
    new = [
        Task(
            id=0,
            uuid=new_id(),
            job_id=job_id,
            index=index,
            attempt=effect.attempt,
            status=TaskStatus.QUEUED,
            reason=Reason.NONE,
            agent_id=None,
            lease_until=None,
            queued_at=unit.now,
            started_at=None,
            stopped_at=None,
        )
        for index in range(plan.parallelism)
    ]
    # A local pipeline's tasks are for the agent of its own command, whatever labels the plan names.
    labels = [flow.facts.pipeline.uuid] if flow.facts.is_local else plan.executor.labels
    tasks.insert_tasks(unit.tx, new, labels=labels, priority=plan.priority)
    unit.wake = True


def _stop_job(unit: Unit, flow: Flow, effect: StopJob) -> None:
    """End the tasks nobody has; agents that have one learn of it by their next exchange."""
    job_id, _ = flow.ids[effect.key]
    attempt = flow.state.jobs[effect.key].attempt
    after: list[TaskStatus] = []
    for task in tasks.tasks_of(unit.tx, job_id, attempt=attempt):
        status = advance_task(task.status, TaskMove.CANCEL)
        after.append(status)
        if status is not task.status:
            change = TaskChange(id=task.id, status=status, reason=effect.reason)
            if status.is_terminal:
                change.stopped_at = unit.now
            tasks.update_tasks(unit.tx, [change])
    unit.wake = True
    if after and all(status.is_terminal for status in after):
        rolled = roll_up_tasks(after)
        flow.apply(JobFinished(key=effect.key, attempt=attempt, status=rolled, reason=effect.reason))


def _hand_over(unit: Unit, granted: list[LockEntry], known: dict[int, Flow]) -> list[Flow]:
    """Tell those who hold a lock from now on; a lock with no job key is a place in a workflow queue."""
    woken = []
    for entry in granted:
        flow = known.get(entry.workflow_id) or load_flow(unit, entry.workflow_id)
        known[entry.workflow_id] = flow
        flow.apply(LockGranted(key=entry.job_key) if entry.job_key else Begin())
        woken.append(flow)
    return woken


def _remember(made: list[Flow], known: dict[int, Flow]) -> list[Flow]:
    known.update({flow.row.id: flow for flow in made})
    return made


def _owner(flow: Flow, name: str, key: str) -> LockOwner:
    organization = flow.facts.organization.id
    return LockOwner(organization_id=organization, name=name, workflow_id=flow.row.id, job_key=key)


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
