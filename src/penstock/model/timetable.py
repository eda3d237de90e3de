"""When a schedule fires: how often an hour, in which hours of which days (CircleCI API v2: schedules).

    an hour of N firings:  |--o-----|--o-----|--o-----|   each in its own Nth of the hour

The offset `o` is the same in each part and each hour. It is drawn from the schedule's id, less than ten
minutes and less than a part: so no firing leaves its hour, nor its day, and many schedules of one hour do not
start at once. All is UTC: no hour is left out or comes twice.
"""

from collections.abc import Iterable
from enum import StrEnum
from hashlib import sha256
from typing import TypeVar

import msgspec

from penstock.model.almanac import Almanac
from penstock.model.errors import InvalidError

T = TypeVar("T")

HOUR = 3600
MOST_OFFSET = 600
"""Seconds below which the offset is."""

MOST_PER_HOUR = 60
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
"""The days of each month, in a year that has most."""


class Weekday(StrEnum):
    """The days of the week, in their order."""

    MON = "MON"
    TUE = "TUE"
    WED = "WED"
    THU = "THU"
    FRI = "FRI"
    SAT = "SAT"
    SUN = "SUN"


class Month(StrEnum):
    """The months, in their order."""

    JAN = "JAN"
    FEB = "FEB"
    MAR = "MAR"
    APR = "APR"
    MAY = "MAY"
    JUN = "JUN"
    JUL = "JUL"
    AUG = "AUG"
    SEP = "SEP"
    OCT = "OCT"
    NOV = "NOV"
    DEC = "DEC"


class Timetable(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """So many firings in each of these hours, on days of the week or of the month; without months in all."""

    per_hour: int
    hours: tuple[int, ...]
    weekdays: tuple[Weekday, ...] = ()
    month_days: tuple[int, ...] = ()
    months: tuple[Month, ...] = ()


class TimetableChange(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be different; unset fields stay as they are."""

    per_hour: int | msgspec.UnsetType = msgspec.UNSET
    hours: tuple[int, ...] | msgspec.UnsetType = msgspec.UNSET
    weekdays: tuple[Weekday, ...] | msgspec.UnsetType = msgspec.UNSET
    month_days: tuple[int, ...] | msgspec.UnsetType = msgspec.UNSET
    months: tuple[Month, ...] | msgspec.UnsetType = msgspec.UNSET


def check_timetable(given: Timetable) -> Timetable:
    """The timetable, each value once. Raises InvalidError for one that is none, or that never fires."""
    if not 1 <= given.per_hour <= MOST_PER_HOUR:
        raise InvalidError(f"per-hour must be from 1 to {MOST_PER_HOUR}.")
    if not given.hours or not all(0 <= hour <= 23 for hour in given.hours):  # noqa: PLR2004 - said in the message
        raise InvalidError("hours-of-day must name hours from 0 to 23.")
    if bool(given.weekdays) == bool(given.month_days):
        raise InvalidError("A timetable needs days-of-week or days-of-month, not both.")
    if not all(1 <= day <= 31 for day in given.month_days):  # noqa: PLR2004 - said in the message
        raise InvalidError("days-of-month must be from 1 to 31.")
    if given.month_days and min(given.month_days) > max(_LONGEST[index - 1] for index in _list_months(given)):
        raise InvalidError("This timetable never fires: none of its months has such a day.")
    return Timetable(
        per_hour=given.per_hour,
        hours=_drop_repeats(given.hours),
        weekdays=_drop_repeats(given.weekdays),
        month_days=_drop_repeats(given.month_days),
        months=_drop_repeats(given.months),
    )


def change_timetable(present: Timetable, change: TimetableChange) -> Timetable:
    """The timetable with what is set in the change; days of one kind take the place of the other kind.

    Raises InvalidError as `check_timetable` does.
    """
    given = {
        name: value for name, value in msgspec.structs.asdict(change).items() if value is not msgspec.UNSET
    }
    if given.get("weekdays") and not given.get("month_days"):
        given["month_days"] = ()
    elif given.get("month_days") and not given.get("weekdays"):
        given["weekdays"] = ()
    return check_timetable(msgspec.structs.replace(present, **given))


def find_offset(uuid: str, per_hour: int) -> int:
    """The seconds by which the schedule of that id is late in each part of an hour; always the same."""
    drawn = int.from_bytes(sha256(uuid.lower().encode()).digest()[:8])
    return drawn % min(MOST_OFFSET, HOUR // per_hour)


def make_almanac(timetable: Timetable, offset: int) -> Almanac:
    """The instants of a sound timetable."""
    starts = [number * HOUR // timetable.per_hour + offset for number in range(timetable.per_hour)]
    weekdays = [list(Weekday).index(day) for day in timetable.weekdays]
    return Almanac(
        months=frozenset(_list_months(timetable)),
        month_days=frozenset(timetable.month_days or range(1, 32)),
        weekdays=frozenset(weekdays or range(7)),
        moments=tuple(hour * HOUR + start for hour in sorted(timetable.hours) for start in starts),
    )


def _list_months(timetable: Timetable) -> list[int]:
    """Their numbers, from 1."""
    every = list(Month)
    return [every.index(month) + 1 for month in timetable.months or every]


def _drop_repeats(values: Iterable[T]) -> tuple[T, ...]:
    """Each value once, where it came first."""
    return tuple(dict.fromkeys(values))
