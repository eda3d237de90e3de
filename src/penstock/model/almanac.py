"""Instants that recur: on which days of the calendar, and at which seconds of such a day; always UTC."""

from bisect import bisect_left
from datetime import date, timedelta

import msgspec

DAY = 86_400
"""Seconds of a day; UTC knows no longer or shorter ones here."""

_EPOCH = date(1970, 1, 1).toordinal()
_LAST = date.max.toordinal()
_MOST_STEPS = 1000
"""Days and months to look at: the 29th of February may be eight years away."""


class Almanac(msgspec.Struct, frozen=True, kw_only=True):
    """Days by month, day of the month and day of the week (0 is Monday), and ascending `moments` of a day.

    With `either` one of the two kinds of day is enough, else both must hold.
    """

    months: frozenset[int]
    month_days: frozenset[int]
    weekdays: frozenset[int]
    moments: tuple[int, ...]
    either: bool = False

    def holds(self, day: date) -> bool:
        """True when there are such instants on the day."""
        if day.month not in self.months:
            return False
        by_month, by_week = day.day in self.month_days, day.weekday() in self.weekdays
        return by_month or by_week if self.either else by_month and by_week


def next_instant(almanac: Almanac, after: int) -> int | None:
    """The first instant after the given one, both in milliseconds; None when there is none any more."""
    days, moment = divmod(after // 1000 + 1, DAY)
    today = _find_day(almanac, max(days + _EPOCH, 1))
    if today is None:
        return None
    place = bisect_left(almanac.moments, moment) if today.toordinal() == days + _EPOCH else 0
    if place == len(almanac.moments):
        today, place = _find_day(almanac, today.toordinal() + 1), 0
    if today is None or not almanac.moments:
        return None
    return ((today.toordinal() - _EPOCH) * DAY + almanac.moments[place]) * 1000


def last_instant(almanac: Almanac, since: int, until: int) -> int | None:
    """The last of the instants from `since` to `until`, both included; None when there are none.

    All of them are looked at: the span should be short.
    """
    found, each = None, next_instant(almanac, since - 1)
    while each is not None and each <= until:
        found, each = each, next_instant(almanac, each)
    return found


def _find_day(almanac: Almanac, ordinal: int) -> date | None:
    """The first such day from the given one on."""
    for _ in range(_MOST_STEPS):
        if ordinal > _LAST:
            return None
        day = date.fromordinal(ordinal)
        if almanac.holds(day):
            return day
        ordinal = ordinal + 1 if day.month in almanac.months else _next_month(day)
    return None


def _next_month(day: date) -> int:
    """The ordinal of the first day of the next month."""
    if (day.year, day.month) == (date.max.year, date.max.month):
        return _LAST + 1
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1).toordinal()
