"""What our own API says of schedules: when they fire next, and what became of the last time."""

from typing import Annotated

import msgspec

from penstock.api.penstock.payloads import Payload
from penstock.model.timetable import Timetable


class FiringsQuery(msgspec.Struct, frozen=True):
    """The query of a schedule: how many of its firings to come are told."""

    count: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 10


class ScheduleView(Payload, frozen=True, kw_only=True):
    """A schedule.

    One that the config on a `branch` asks for has the name of its workflow and `crons`, another a
    `timetable`. `actor` is the login of whom it runs as. `fired_at` is when it was last due, `pipeline` the
    id of what it ran then, and `outcome` says why it ran nothing.
    """

    id: str
    name: str
    project: str  # slug
    branch: str
    description: str
    timetable: Timetable | None
    crons: tuple[str, ...]
    parameters: dict[str, str | int | bool]
    actor: str
    next_at: int | None
    fired_at: int | None
    pipeline: str
    outcome: str


class ScheduleFirings(ScheduleView, frozen=True, kw_only=True):
    """The same, with its firings to come."""

    firings: tuple[int, ...]
