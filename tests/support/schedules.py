"""Schedules with everything filled in that a test does not care about."""

from typing import Any

from penstock.kit.ids import new_id
from penstock.model.schedule import Schedule
from penstock.model.timetable import Timetable, Weekday
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
