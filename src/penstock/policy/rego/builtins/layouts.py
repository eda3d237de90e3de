"""Times written in the layouts of Go: how it writes the moment 2006-01-02 15:04:05 -0700 shows the way."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

from penstock.policy.rego.errors import BuiltinError

_NAMED = {
    "ANSIC": "Mon Jan _2 15:04:05 2006",
    "UnixDate": "Mon Jan _2 15:04:05 MST 2006",
    "RubyDate": "Mon Jan 02 15:04:05 -0700 2006",
    "RFC822": "02 Jan 06 15:04 MST",
    "RFC822Z": "02 Jan 06 15:04 -0700",
    "RFC850": "Monday, 02-Jan-06 15:04:05 MST",
    "RFC1123": "Mon, 02 Jan 2006 15:04:05 MST",
    "RFC1123Z": "Mon, 02 Jan 2006 15:04:05 -0700",
    "RFC3339": "2006-01-02T15:04:05Z07:00",
    "RFC3339Nano": "2006-01-02T15:04:05.999999999Z07:00",
}
_LONGEST = 200
_LAST_SHORT = 68
"""Years of two digits up to here are of this century, to Go."""

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December")  # fmt: skip
_PART = re.compile(
    r"2006|January|Jan|Monday|Mon|MST|Z07:00|Z0700|-07:00|-0700|-07|PM|pm|_2|[.,]0+|[.,]9+|01|02|03|04|05|06|15|1|2|3|4|5"
)
_TEXTS: dict[str, Callable[[datetime], str]] = {
    "2006": lambda at: f"{at.year:04}",
    "06": lambda at: f"{at.year % 100:02}",
    "January": lambda at: _MONTHS[at.month - 1],
    "Jan": lambda at: _MONTHS[at.month - 1][:3],
    "01": lambda at: f"{at.month:02}",
    "1": lambda at: str(at.month),
    "Monday": lambda at: _DAYS[at.weekday()],
    "Mon": lambda at: _DAYS[at.weekday()][:3],
    "02": lambda at: f"{at.day:02}",
    "_2": lambda at: f"{at.day:2}",
    "2": lambda at: str(at.day),
    "15": lambda at: f"{at.hour:02}",
    "03": lambda at: f"{at.hour % 12 or 12:02}",
    "3": lambda at: str(at.hour % 12 or 12),
    "04": lambda at: f"{at.minute:02}",
    "4": lambda at: str(at.minute),
    "05": lambda at: f"{at.second:02}",
    "5": lambda at: str(at.second),
    "PM": lambda at: "PM" if at.hour > 11 else "AM",  # noqa: PLR2004 - noon
    "pm": lambda at: "pm" if at.hour > 11 else "am",  # noqa: PLR2004 - noon
    "MST": lambda at: at.tzname() or "UTC",
}
_PATTERNS = {
    "2006": r"(?P<year>\d{4})",
    "06": r"(?P<short>\d\d)",
    "January": f"(?P<month_name>{'|'.join(_MONTHS)})",
    "Jan": f"(?P<month_name>{'|'.join(name[:3] for name in _MONTHS)})",
    "01": r"(?P<month>\d\d)",
    "1": r"(?P<month>\d\d?)",
    "Monday": f"(?:{'|'.join(_DAYS)})",
    "Mon": f"(?:{'|'.join(name[:3] for name in _DAYS)})",
    "02": r"(?P<day>\d\d)",
    "_2": r" ?(?P<day>\d\d?)",
    "2": r"(?P<day>\d\d?)",
    "15": r"(?P<hour>\d\d)",
    "03": r"(?P<hour>\d\d)",
    "3": r"(?P<hour>\d\d?)",
    "04": r"(?P<minute>\d\d)",
    "4": r"(?P<minute>\d\d?)",
    "05": r"(?P<second>\d\d)(?:[.,](?P<fraction>\d+))?",
    "5": r"(?P<second>\d\d?)(?:[.,](?P<fraction>\d+))?",
    "PM": "(?P<half>AM|PM)",
    "pm": "(?P<half>am|pm)",
    "MST": "(?:[A-Z]{3,4})",
    "-07:00": r"(?P<zone>[+-]\d\d:\d\d)",
    "-0700": r"(?P<zone>[+-]\d{4})",
    "-07": r"(?P<zone>[+-]\d\d)",
    "Z07:00": r"(?P<zone>Z|[+-]\d\d:\d\d)",
    "Z0700": r"(?P<zone>Z|[+-]\d{4})",
}


def name_layout(layout: str) -> str:
    """The layout of that name, or the one that it is. Raises BuiltinError for one too long."""
    if len(layout) > _LONGEST:
        raise BuiltinError
    return _NAMED.get(layout, layout)


def show_time(moment: datetime, nanoseconds: int, layout: str) -> str:
    """The time in the layout; `nanoseconds` are those within its second."""

    def fill(match: re.Match[str]) -> str:
        part = match.group()
        if part[0] in ".,":
            digits = f"{nanoseconds:09}"[: len(part) - 1]
            digits = digits.rstrip("0") if part[1] == "9" else digits
            return part[0] + digits if digits else ""
        return _show_zone(moment, part) if part in _ZONES else _TEXTS[part](moment)

    return _PART.sub(fill, name_layout(layout))


_ZONES = frozenset({"Z07:00", "Z0700", "-07:00", "-0700", "-07"})


def _show_zone(moment: datetime, part: str) -> str:
    offset = moment.utcoffset() or timedelta()
    if part[0] == "Z" and not offset:
        return "Z"
    minutes = abs(int(offset.total_seconds())) // 60
    sign = "-" if offset < timedelta() else "+"
    hours, rest = f"{minutes // 60:02}", f"{minutes % 60:02}"
    return sign + hours + (":" if ":" in part else "") + (rest if part != "-07" else "")


def read_time(text: str, layout: str) -> tuple[datetime, int]:
    """The time that a text in the layout says, and its nanoseconds. Raises BuiltinError."""
    pattern, at = "", 0
    layout = name_layout(layout)
    for match in _PART.finditer(layout):
        pattern += re.escape(layout[at : match.start()])
        fraction = match.group()[0] in ".,"
        pattern += "" if fraction else _PATTERNS[match.group()]
        at = match.end()
    try:
        found = re.fullmatch(pattern + re.escape(layout[at:]), text, re.ASCII)
    except re.error:  # a part that is there twice
        raise BuiltinError from None
    if found is None:
        raise BuiltinError
    return _make_time(found.groupdict())


def _make_time(parts: dict[str, str | None]) -> tuple[datetime, int]:
    short = int(parts.get("short") or 0)
    century = 1900 if short > _LAST_SHORT else 2000
    year = int(parts.get("year") or 0) or (century + short if parts.get("short") else 1)
    named = parts.get("month_name")
    month = [name[:3] for name in _MONTHS].index(named[:3]) + 1 if named else int(parts.get("month") or 1)
    hour = int(parts.get("hour") or 0)
    if half := parts.get("half"):
        hour = hour % 12 + (12 if half.upper() == "PM" else 0)
    minute, second = int(parts.get("minute") or 0), int(parts.get("second") or 0)
    zone = _read_zone(parts.get("zone"))
    moment = datetime(year, month, int(parts.get("day") or 1), hour, minute, second, tzinfo=zone)
    return moment, int((parts.get("fraction") or "0")[:9].ljust(9, "0"))


def _read_zone(text: str | None) -> timezone:
    if text in {None, "", "Z"}:
        return UTC
    digits = str(text)[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if str(text)[0] == "-" else offset)
