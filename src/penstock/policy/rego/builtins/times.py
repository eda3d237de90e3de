"""Functions of times in nanoseconds, of versions, of network addresses, and of units."""

import calendar
import ipaddress
import re
import time
from datetime import UTC, datetime, timedelta
from functools import cmp_to_key
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from penstock.policy.rego.builtins.numbers import check_number, tidy
from penstock.policy.rego.builtins.strings import check_text
from penstock.policy.rego.builtins.table import make_table
from penstock.policy.rego.errors import BuiltinError
from penstock.policy.rego.values import Value

_SECOND = 1_000_000_000
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
_VERSION = re.compile(
    r"v?(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z.-]+)?"
)
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)([a-zA-Z]*)")
_BYTES = {"": 1, "b": 1, **{name + end: 1000**at for at, name in enumerate("kmgtpe", 1) for end in ("", "b")},
          **{name + end: 1024**at for at, name in enumerate("kmgtpe", 1) for end in ("i", "ib")}}  # fmt: skip


def _tell_time() -> Value:
    return time.time_ns()


def _read_time(text: Value) -> Value:
    found = _TIME.fullmatch(check_text(text))
    if found is None:
        raise BuiltinError
    moment = datetime.fromisoformat(found[1].upper() + found[3].upper().replace("Z", "+00:00"))
    whole = calendar.timegm(moment.astimezone(UTC).timetuple())
    return whole * _SECOND + int((found[2] or "0").ljust(9, "0"))


def _read_duration(text: Value) -> Value:
    written = check_text(text)
    parts = _DURATION.findall(written)
    sign = -1 if written.startswith("-") else 1
    if not parts or "".join(number + unit for number, unit in parts) != written.lstrip("+-"):
        raise BuiltinError
    return sign * sum(int(float(number) * _UNITS[unit]) for number, unit in parts)


def _open_time(given: Value) -> datetime:
    """The time of nanoseconds, or of those with the name of a zone."""
    moment, zone = given if isinstance(given, tuple) else (given, "UTC")
    try:
        place = ZoneInfo(check_text(zone) or "UTC") if zone != "UTC" else UTC
    except (ZoneInfoNotFoundError, OSError):
        raise BuiltinError from None
    return datetime.fromtimestamp(int(check_number(moment)) // _SECOND, UTC).astimezone(place)


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
    return calendar.timegm(later.timetuple()) * _SECOND + given % _SECOND


def _format(given: Value) -> Value:
    return _open_time(given).isoformat().replace("+00:00", "Z")


def _read_version(text: Value) -> tuple[tuple[int, ...], list[str]]:
    found = _VERSION.fullmatch(check_text(text))
    if found is None:
        raise BuiltinError
    return tuple(int(found[at]) for at in (1, 2, 3)), found[4].split(".") if found[4] else []


def _compare_parts(one: str, other: str) -> int:
    if one.isdigit() and other.isdigit():
        return (int(one) > int(other)) - (int(one) < int(other))
    if one.isdigit() != other.isdigit():
        return -1 if one.isdigit() else 1
    return (one > other) - (one < other)


def _compare_versions(one: Value, other: Value) -> Value:
    (left, mine), (right, theirs) = _read_version(one), _read_version(other)
    if left != right:
        return 1 if left > right else -1
    if not mine or not theirs:
        return bool(theirs) - bool(mine)
    key = cmp_to_key(_compare_parts)
    first, second = [key(each) for each in mine], [key(each) for each in theirs]
    return (first > second) - (first < second)


def _is_version(text: Value) -> Value:
    return isinstance(text, str) and _VERSION.fullmatch(text) is not None


def _read_network(text: Value) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    return ipaddress.ip_network(check_text(text), strict=False)


def _contains(network: Value, other: Value) -> Value:
    outer, inner = _read_network(network), _read_network(other)
    return outer.version == inner.version and (
        inner.network_address in outer and inner.broadcast_address in outer
    )


def _overlap(one: Value, other: Value) -> Value:
    left, right = _read_network(one), _read_network(other)
    return left.version == right.version and left.overlaps(right)


def _is_network(text: Value) -> Value:
    try:
        return "/" in check_text(text) and bool(_read_network(text).version)
    except ValueError:
        return False


def _read_bytes(text: Value) -> Value:
    found = _AMOUNT.fullmatch(check_text(text).strip('"').replace(" ", ""))
    if found is None or found[2].lower() not in _BYTES:
        raise BuiltinError
    return int(tidy(float(found[1]) * _BYTES[found[2].lower()]))


TABLE = make_table({
    "time.now_ns": _tell_time,
    "time.parse_rfc3339_ns": _read_time,
    "time.parse_duration_ns": _read_duration,
    "time.date": _show_date,
    "time.clock": _show_clock,
    "time.weekday": lambda given: calendar.day_name[_open_time(given).weekday()],
    "time.add_date": _add_date,
    "time.format": _format,
    "semver.compare": _compare_versions,
    "semver.is_valid": _is_version,
    "net.cidr_contains": _contains,
    "net.cidr_intersects": _overlap,
    "net.cidr_overlap": _overlap,
    "net.cidr_is_valid": _is_network,
    "units.parse_bytes": _read_bytes,
})  # fmt: skip
