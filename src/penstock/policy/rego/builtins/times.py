"""Functions of times: nanoseconds since 1970, or those with the name of a zone, and a layout too."""

import calendar
import re
import time
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from penstock.policy.rego.builtins.layouts import read_time, show_time
from penstock.policy.rego.builtins.numbers import check_number
from penstock.policy.rego.builtins.strings import check_text
from penstock.policy.rego.builtins.table import make_table
from penstock.policy.rego.errors import BuiltinError
from penstock.policy.rego.values import Value

_SECOND = 1_000_000_000
_RFC3339_NANO = "2006-01-02T15:04:05.999999999Z07:00"
_FURTHEST = 1 << 63
_ZONES: dict[str, ZoneInfo] = {}
_UNITS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "ms": 1_000_000,
    "s": _SECOND,
    "m": 60 * _SECOND,
    "h": 3600 * _SECOND,
}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")
_TIME = re.compile(r"(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d\d:\d\d)")


def _tell_time() -> Value:
    return time.time_ns()


def _read_time(text: Value) -> Value:
    found = _TIME.fullmatch(check_text(text))
    if found is None:
        raise BuiltinError
    moment = datetime.fromisoformat(found[1].upper() + found[3].upper().replace("Z", "+00:00"))
    return _count(moment, int((found[2] or "0").ljust(9, "0")))


def _count(moment: datetime, nanoseconds: int) -> int:
    """The nanoseconds since 1970. Raises BuiltinError for more than 64 bits of them."""
    return _check_time(calendar.timegm(moment.astimezone(UTC).timetuple()) * _SECOND + nanoseconds)


def _check_time(moment: int) -> int:
    if not -_FURTHEST <= moment < _FURTHEST:
        raise BuiltinError
    return moment


def _parse(layout: Value, text: Value) -> Value:
    return _count(*read_time(check_text(text), check_text(layout)))


def _read_duration(text: Value) -> Value:
    written = check_text(text)
    parts = _DURATION.findall(written)
    sign = -1 if written.startswith("-") else 1
    if not parts or "".join(number + unit for number, unit in parts) != written.lstrip("+-"):
        raise BuiltinError
    return sign * sum(int(float(number) * _UNITS[unit]) for number, unit in parts)


def _open_time(given: Value) -> datetime:
    """The time of nanoseconds, or of those with the name of a zone."""
    moment, zone = (given[0], given[1]) if isinstance(given, tuple) else (given, "UTC")
    if not isinstance(check_number(moment), int):
        raise BuiltinError
    return datetime.fromtimestamp(_check_time(moment) // _SECOND, UTC).astimezone(_find_zone(zone))


def _find_zone(name: Value) -> tzinfo:
    if name in {"UTC", ""}:
        return UTC
    try:
        return _ZONES[name] if name in _ZONES else ZoneInfo(check_text(name))
    except (ZoneInfoNotFoundError, OSError):
        raise BuiltinError from None


def load_zones() -> None:
    """All zones are known from now on, also when no file can be opened any more."""
    for name in available_timezones():
        _ZONES[name] = ZoneInfo(name)


def _show_date(given: Value) -> Value:
    moment = _open_time(given)
    return (moment.year, moment.month, moment.day)


def _show_clock(given: Value) -> Value:
    moment = _open_time(given)
    return (moment.hour, moment.minute, moment.second)


def _add_date(given: Value, years: Value, months: Value, days: Value) -> Value:
    moment = datetime.fromtimestamp(given // _SECOND, UTC)
    month = moment.month - 1 + months + 12 * years
    first = moment.replace(year=moment.year + month // 12, month=month % 12 + 1, day=1)
    later = first + timedelta(days=moment.day - 1 + days)
    return _check_time(calendar.timegm(later.timetuple()) * _SECOND + given % _SECOND)


def _format(given: Value) -> Value:
    parts = given if isinstance(given, tuple) else (given,)
    layout = check_text(parts[2]) if len(parts) > 2 else _RFC3339_NANO  # noqa: PLR2004 - time, zone, layout
    moment = _open_time(parts[:2] if len(parts) > 1 else parts[0])
    return show_time(moment, parts[0] % _SECOND, layout or _RFC3339_NANO)


def _diff(one: Value, other: Value) -> Value:
    """Years, months, days, hours, minutes and seconds between two times."""
    first, second = _open_time(one), _open_time(other)
    second = second.astimezone(first.tzinfo)
    if first > second:
        first, second = second, first
    later, earlier = _list_parts(second), _list_parts(first)
    parts = [mine - theirs for mine, theirs in zip(later, earlier, strict=True)]
    most = [0, 12, calendar.monthrange(first.year, first.month)[1], 24, 60, 60]
    for at in range(5, 0, -1):
        if parts[at] < 0:
            parts[at] += most[at]
            parts[at - 1] -= 1
    return tuple(parts)


def _list_parts(moment: datetime) -> list[int]:
    return list(moment.timetuple()[:6])


TABLE = make_table({
    "time.now_ns": _tell_time,
    "time.parse_rfc3339_ns": _read_time,
    "time.parse_duration_ns": _read_duration,
    "time.date": _show_date,
    "time.clock": _show_clock,
    "time.weekday": lambda given: calendar.day_name[_open_time(given).weekday()],
    "time.add_date": _add_date,
    "time.format": _format,
    "time.parse_ns": _parse,
    "time.diff": _diff,
})  # fmt: skip
