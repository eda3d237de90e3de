"""Lets schedules fire when they are due: each firing once, whatever servers and clocks do.

A firing is promised by a letter in the transaction that arms the schedule for the next one, so a crash loses
none and no two servers promise the same. The id of its pipeline follows from schedule and instant: even a
firing that a clock makes due twice makes one pipeline.

What was due while no server ran is not made up for, but for the last firing of the past hour: nobody wants
a burst, and few want at noon what they asked for at night. When the clock goes back, schedules that it had
armed further ahead are armed anew.
"""

import logging
from collections.abc import Callable
from uuid import UUID, uuid5

import msgspec

from penstock.engine.transact import transact
from penstock.engine.unit import Parts, Unit
from penstock.kit.clock import to_datetime
from penstock.model.almanac import last_instant
from penstock.model.schedule import Schedule, list_almanacs, next_firing
from penstock.store import schedules
from penstock.store.schedules import ScheduleChange

SCHEDULE = "schedule"
"""The kind of letter that promises the pipeline of a firing; those of a project are kept one by one."""

LATE = 3_600_000
"""Milliseconds by which a firing may be late."""

MISSED = "missed: no server ran at that time"
"""The outcome of a firing that is too long ago."""

STEP_BACK = 60_000
"""Milliseconds the clock may be behind what it was without more ado."""

AT_ONCE = 100
"""Schedules of one transaction."""

ROUNDS = 50
"""Transactions of one look, so that it ends."""

_log = logging.getLogger(__name__)


class Firing(msgspec.Struct, frozen=True, kw_only=True):
    """A firing that was promised: of which schedule, when it was due, and the UUID of its pipeline."""

    schedule: str
    due: int
    pipeline: str


def fire_schedules(parts: Parts) -> int | None:
    """Promise the pipelines of all schedules that are due; returns when the next is, None when none is.

    Any number of servers may do so at once. Raises UnavailableError when the database does not answer.
    """
    now = parts.clock.now()
    with parts.db.read() as tx:
        due, armed = schedules.next_due(tx), schedules.last_armed(tx)
    if armed is not None and armed > now + STEP_BACK:
        _log.warning("the clock went back to %s: schedules are armed anew", to_datetime(now).isoformat())
        _repeat(parts, _arm_some)
    elif due is None or due > now:
        return due
    _repeat(parts, _fire_some)
    with parts.db.read() as tx:
        return schedules.next_due(tx)


def _repeat(parts: Parts, work: Callable[[Unit], int]) -> None:
    """Work at so many schedules at once until there are fewer."""
    for _ in range(ROUNDS):
        if transact(parts, work) < AT_ONCE:
            return


def _arm_some(unit: Unit) -> int:
    """Arm schedules anew that a clock has armed which was ahead of this one; returns how many."""
    found = schedules.take_ahead(unit.tx, unit.now + STEP_BACK, limit=AT_ONCE)
    schedules.update_schedules(
        unit.tx,
        [
            ScheduleChange(id=each.id, armed_at=unit.now, next_at=next_firing(each, unit.now))
            for each in found
        ],
    )
    return len(found)


def _fire_some(unit: Unit) -> int:
    """Promise the pipelines of some schedules that are due, and arm these; returns how many."""
    found = schedules.take_due(unit.tx, unit.now, limit=AT_ONCE)
    schedules.update_schedules(unit.tx, [_fire(unit, each) for each in found])
    return len(found)


def _fire(unit: Unit, schedule: Schedule) -> ScheduleChange:
    """The schedule has promised the pipeline of its last firing, unless that is too long ago."""
    due = _find_firing(schedule, unit.now)
    if due is not None:
        pipeline = str(uuid5(UUID(schedule.uuid), str(due)))
        firing = Firing(schedule=schedule.uuid, due=due, pipeline=pipeline)
        unit.promise(SCHEDULE, str(schedule.project_id), msgspec.to_builtins(firing))
    missed = schedule.next_at or unit.now
    return ScheduleChange(
        id=schedule.id,
        armed_at=unit.now,
        next_at=next_firing(schedule, unit.now),
        fired_at=missed if due is None else due,
        pipeline="",
        outcome=MISSED if due is None else "",
    )


def _find_firing(schedule: Schedule, now: int) -> int | None:
    """The last firing that was due, None when all of them are too long ago."""
    armed = now if schedule.next_at is None else schedule.next_at
    since = max(armed, now - LATE)
    found = [last_instant(almanac, since, now) for almanac in list_almanacs(schedule)]
    return max((each for each in found if each is not None), default=armed if armed == since else None)
