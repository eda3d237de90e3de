"""Serial groups and locks as jobs meet them: asked for, waited for within bounds, given back, handed on."""

from collections import deque
from collections.abc import Iterable

from penstock.engine.flow import Flow, load_flow
from penstock.engine.unit import Unit
from penstock.lifecycle.events import Begin, JobRefused, LockGranted
from penstock.model.status import JobStatus, Reason
from penstock.store import locks, timers
from penstock.store.locks import LockEntry, LockOwner

WAIT = "lock"
"""Kind of the timer that ends the wait for a lock."""

LONGEST_WAIT = 5 * 3600
"""Seconds a job may wait for a lock (CircleCI docs: serial groups)."""


def ask_lock(unit: Unit, flow: Flow, name: str, key: str) -> None:
    """The job has the lock and knows it, or waits in its line, or has been turned away.

    An older pipeline of the same project must not come after a newer one (CircleCI docs: serial groups);
    somebody who runs an old one again means it.
    """
    if locks.acquire_lock(unit.tx, _owner(flow, name, key), now=unit.now):
        flow.apply(LockGranted(key=key))
        return
    if _is_late(unit, flow, name):
        flow.explain(key, f"a newer pipeline of the project came first in {name}")
        flow.apply(JobRefused(key=key, status=JobStatus.NOT_RUN, reason=Reason.SUPERSEDED))
        return
    due_at = unit.now + LONGEST_WAIT * 1000
    payload = {"workflow": flow.row.id, "key": key, "name": name}
    timers.set_timer(unit.tx, WAIT, _subject(flow, key), due_at=due_at, payload=payload)


def give_back(unit: Unit, flow: Flow, name: str, key: str) -> None:
    """The job neither has the lock nor waits for it; whoever is next has it."""
    timers.cancel_timers(unit.tx, _subject(flow, key), kind=WAIT)
    granted = locks.release_lock(unit.tx, _owner(flow, name, key))
    hand_over(unit, [granted] if granted else [])


def give_all_back(unit: Unit, flow: Flow) -> None:
    """The workflow and its jobs have no lock and no place in a line; whoever is next has what they had."""
    hand_over(unit, locks.release_all(unit.tx, flow.row.id))


def hand_over(unit: Unit, granted: Iterable[LockEntry]) -> None:
    """Tell those who hold a lock from now on; a lock with no job key is a place in a workflow's line.

    A job that does not want its lock any more leaves it to the next.
    """
    todo = deque(granted)
    while todo:
        entry = todo.popleft()
        flow = load_flow(unit, entry.workflow_id)
        if not entry.job_key:
            flow.apply(Begin())
            continue
        timers.cancel_timers(unit.tx, _subject(flow, entry.job_key), kind=WAIT)
        flow.apply(LockGranted(key=entry.job_key))
        if flow.state.locks.get(entry.name) != entry.job_key:
            following = locks.release_lock(unit.tx, _owner(flow, entry.name, entry.job_key))
            todo.extend([following] if following else [])


def _is_late(unit: Unit, flow: Flow, name: str) -> bool:
    if flow.row.rerun_of is not None and flow.row.auto_rerun_number == 0:
        return False
    return locks.has_newer(
        unit.tx,
        flow.facts.organization.id,
        name,
        project_id=flow.facts.project.id,
        number=flow.facts.pipeline.number,
    )


def _subject(flow: Flow, key: str) -> str:
    return f"{flow.row.uuid}/{key}"


def _owner(flow: Flow, name: str, key: str) -> LockOwner:
    organization = flow.facts.organization.id
    return LockOwner(organization_id=organization, name=name, workflow_id=flow.row.id, job_key=key)
