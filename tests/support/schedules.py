"""Schedules with everything filled in that a test does not care about."""

from typing import Any

from penstock.engine.unit import Parts
from penstock.kit.ids import new_id
from penstock.model.schedule import Schedule
from penstock.model.timetable import Timetable, Weekday
from penstock.store import schedules
from penstock.store.schedules import ScheduleChange
from tests.support.records import NOW

HOURLY = Timetable(per_hour=1, hours=tuple(range(24)), weekdays=tuple(Weekday))
"""Once in every hour."""


def a_schedule(project_id: int, name: str = "nightly", **more: Any) -> Schedule:  # noqa: ANN401 - of any field
    """A schedule that is not stored, due an hour from now."""
    values: dict[str, Any] = {
        "id": 0,
        "uuid": new_id(),
        "project_id": project_id,
        "branch": "",
        "name": name,
        "description": None,
        "timetable": HOURLY,
        "crons": (),
        "parameters": {"branch": "main"},
        "actor": "ada",
        "created_at": NOW,
        "updated_at": NOW,
        "armed_at": NOW,
        "next_at": NOW + 3_600_000,
    }
    return Schedule(**values | more)


def make_due(parts: Parts, uuid: str) -> None:
    """The schedule's next firing was due a second ago."""
    with parts.db.write() as tx:
        found = schedules.schedule_by_uuid(tx, uuid)
        assert found is not None
        due = parts.clock.now() - 1000
        schedules.update_schedules(tx, [ScheduleChange(id=found.id, next_at=due)])
