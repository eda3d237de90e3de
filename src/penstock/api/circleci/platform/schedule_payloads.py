"""What goes over the wire about schedules, with the vendor's names (CircleCI OpenAPI document: Schedule)."""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from penstock.api.circleci.payloads import Payload, Simple, User
from penstock.model.timetable import Month, Weekday

Numbers = Annotated[tuple[int, ...], msgspec.Meta(max_length=100)]
Weekdays = Annotated[tuple[Weekday, ...], msgspec.Meta(max_length=100)]
Months = Annotated[tuple[Month, ...], msgspec.Meta(max_length=100)]
Text = Annotated[str, msgspec.Meta(max_length=10_000)]
Parameters = Annotated[dict[str, Simple], msgspec.Meta(max_length=1000)]


class Attribution(StrEnum):
    """As whom the pipelines run."""

    CURRENT = "current"  # who asks
    SYSTEM = "system"


class Timetable(Payload, frozen=True, kw_only=True, rename="kebab"):
    """When a schedule fires; either kind of days."""

    per_hour: int
    hours_of_day: Numbers
    days_of_week: Weekdays | UnsetType | None = UNSET
    days_of_month: Numbers | UnsetType | None = UNSET
    months: Months | UnsetType | None = UNSET


class TimetablePart(Payload, frozen=True, kw_only=True, rename="kebab"):
    """What is to be different about a timetable."""

    per_hour: int | UnsetType | None = UNSET
    hours_of_day: Numbers | UnsetType | None = UNSET
    days_of_week: Weekdays | UnsetType | None = UNSET
    days_of_month: Numbers | UnsetType | None = UNSET
    months: Months | UnsetType | None = UNSET


class CreateBody(Payload, frozen=True, kw_only=True, rename="kebab"):
    """The body of `createSchedule`."""

    name: Text
    timetable: Timetable
    attribution_actor: Attribution
    parameters: Parameters
    description: Text | None = None


class UpdateBody(Payload, frozen=True, kw_only=True, rename="kebab"):
    """The body of `updateSchedule`; only a description may be set to null."""

    name: Text | UnsetType = UNSET
    description: Text | UnsetType | None = UNSET
    timetable: TimetablePart | UnsetType = UNSET
    attribution_actor: Attribution | UnsetType = UNSET
    parameters: Parameters | UnsetType = UNSET


class Schedule(Payload, frozen=True, kw_only=True, rename="kebab"):
    """A schedule."""

    id: str
    name: str
    timetable: Timetable
    description: str | None
    project_slug: str
    parameters: dict[str, Simple]
    actor: User
    created_at: str
    updated_at: str
