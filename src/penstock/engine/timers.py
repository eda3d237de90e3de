"""What the passing of time causes: retries, time limits, ends of waits, lost agents."""

import logging
from functools import partial

from penstock.engine.effects import LIMIT, RETRY, settle
from penstock.engine.fault import guard_task
from penstock.engine.flow import Flow, load_flow
from penstock.engine.locking import WAIT
from penstock.engine.report import lose_task
from penstock.engine.transact import transact
from penstock.engine.unit import Parts, Unit
from penstock.lifecycle.events import AnyEvent, JobCancelRequested, RetryDue, TimeLimitReached
from penstock.model.errors import NotFoundError, UnavailableError
from penstock.model.run import Task
from penstock.model.status import JobStatus, Reason
from penstock.store import queue, timers
from penstock.store.failures import RolledBackError
from penstock.store.timers import Timer

_log = logging.getLogger(__name__)

LOST = "the agent that ran it was not heard of any more"
MOST_AT_ONCE = 200
"""Timers that one tick looks after, so that it ends even when they come faster than they go."""


def tick(parts: Parts, *, judges: bool = True) -> int | None:
    """Do all that is due now; returns when the next timer is due, None when none is set.

    Unless it `judges`, agents whose leases are over are not given up yet.
    """
    now = parts.clock.now()
    with parts.db.read() as tx:
        due = timers.next_due(tx)
        expired = queue.expired_tasks(tx, now) if judges else []
    for task in expired:
        guard_task(parts, task.agent_id, task.uuid, partial(_lose, parts, task))
    for _ in range(MOST_AT_ONCE):
        if due is None or due > now:
            break
        _ring_next(parts)
        with parts.db.read() as tx:
            due = timers.next_due(tx)
    return due


def _lose(parts: Parts, task: Task) -> None:
    transact(parts, lambda unit: lose_task(unit, task.uuid, message=LOST, expired=True))


def _ring_next(parts: Parts) -> None:
    """Let the workflow of the timer that is due longest hear of it, unless a rival does just now.

    A timer that cannot ring is dropped: it would stay in the way of all others.
    """
    taken: list[Timer] = []
    try:
        transact(parts, lambda unit: _ring(unit, taken))
    except (UnavailableError, RolledBackError):
        raise
    except Exception:  # noqa: BLE001 - the outermost loop over timers: the others must ring
        _log.exception("timer %s cannot ring and is dropped", taken)
        for timer in taken[-1:]:
            _drop(parts, timer)


def _drop(parts: Parts, timer: Timer) -> None:
    transact(parts, lambda unit: timers.cancel_timers(unit.tx, timer.subject, kind=timer.kind))


def _ring(unit: Unit, taken: list[Timer]) -> None:
    """Take the timer and carry out what follows, in one transaction."""
    for timer in timers.take_due(unit.tx, unit.now, limit=1):
        taken.append(timer)
        try:
            flow = load_flow(unit, timer.payload["workflow"])
        except NotFoundError:
            return  # the workflow was deleted, and nobody misses its timers
        event = _read_event(flow, timer)
        if event is not None:
            flow.apply(event)
            settle(unit)


def _read_event(flow: Flow, timer: Timer) -> AnyEvent | None:
    """What the timer says; None when it does not matter any more."""
    payload = timer.payload
    match timer.kind:
        case kind if kind == RETRY:
            return RetryDue(key=payload["key"], attempt=payload["attempt"])
        case kind if kind == LIMIT:
            return TimeLimitReached(group=payload["group"])
        case kind if kind == WAIT:
            return _end_wait(flow, payload["key"], payload["name"])
        case kind:
            raise LookupError(f"nobody knows timers of the kind {kind!r}")


def _end_wait(flow: Flow, key: str, name: str) -> AnyEvent | None:
    """The job has waited too long for its lock, unless it has it by now."""
    if flow.state.jobs[key].status is not JobStatus.WAITING or flow.state.locks.get(name) == key:
        return None
    flow.explain(key, f"waited too long for its turn in {name}")
    return JobCancelRequested(key=key, reason=Reason.TIMEOUT)
