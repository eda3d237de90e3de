"""What the passing of time causes: retries, time limits, lost agents."""

from penstock.engine.effects import LIMIT, RETRY, settle
from penstock.engine.flow import load_flow
from penstock.engine.report import lose_task
from penstock.engine.transact import transact
from penstock.engine.unit import Parts, Unit
from penstock.lifecycle.events import AnyEvent, RetryDue, TimeLimitReached
from penstock.store import queue, timers
from penstock.store.timers import Timer

LOST = "the agent that ran it was not heard of any more"


def tick(parts: Parts) -> int | None:
    """Do all that is due now; returns when the next timer is due, None when none is set."""
    now = parts.clock.now()
    with parts.db.read() as tx:
        next_due = timers.next_due(tx)
        expired = queue.expired_tasks(tx, now)
    for task in expired:
        transact(parts, lambda unit, uuid=task.uuid: lose_task(unit, uuid, message=LOST))  # type: ignore[misc]  # mypy knows no defaults of lambdas
    if next_due is None or next_due > now:
        return next_due
    transact(parts, _ring)
    with parts.db.read() as tx:
        return timers.next_due(tx)


def _ring(unit: Unit) -> None:
    """Take the due timers and let their workflows hear of them, in the same transaction."""
    for timer in timers.take_due(unit.tx, unit.now):
        flow = load_flow(unit, timer.payload["workflow"])
        flow.apply(_event_of(timer))
        settle(unit, flow)


def _event_of(timer: Timer) -> AnyEvent:
    if timer.kind == RETRY:
        return RetryDue(key=timer.payload["key"], attempt=timer.payload["attempt"])
    if timer.kind == LIMIT:
        return TimeLimitReached(group=timer.payload["group"])
    raise LookupError(f"nobody knows timers of the kind {timer.kind!r}")
