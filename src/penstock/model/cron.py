"""The instants a cron text of five fields stands for (POSIX crontab, and steps, in UTC)."""

import re

from penstock.model.almanac import Almanac

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
FIELDS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("minute", 0, 59, ()), ("hour", 0, 23, ()), ("day of the month", 1, 31, ()), ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 7, _DAYS),
)  # fmt: skip
"""Each field: its name, the least and the greatest number, and the names of numbers from the least on."""

MOST_LETTERS = 1000
"""Of a text; one that names every minute, hour, day and month has half of that."""

_ELEMENT = re.compile(r"(\*|[0-9a-z]{1,9}(?:-[0-9a-z]{1,9})?)(?:/([0-9]{1,2}))?", re.IGNORECASE)


def find_cron_fault(text: str) -> str:
    """What makes the text no crontab of five fields; empty when it is one."""
    if len(text) > MOST_LETTERS:
        return f"it has more than {MOST_LETTERS} characters"
    words = text.split()
    if len(words) != len(FIELDS):
        return f"it has {len(words)} fields, not minute, hour, day of the month, month and day of the week"
    for number, word in enumerate(words):
        name, least, most, _ = FIELDS[number]
        for element in word.split(","):
            if not _list_values(element, number):
                return f"'{element}' is no {name} ({least} to {most}, a range, or *)"
    return ""


def read_cron(text: str) -> Almanac:
    """The instants of a text without faults; when both kinds of days are limited, either is enough."""
    words = text.split()
    minutes, hours, month_days, months, weekdays = (
        frozenset(value for element in word.split(",") for value in _list_values(element, number))
        for number, word in enumerate(words)
    )
    return Almanac(
        months=months,
        month_days=month_days,
        weekdays=frozenset((day - 1) % 7 for day in weekdays),
        moments=tuple(hour * 3600 + minute * 60 for hour in sorted(hours) for minute in sorted(minutes)),
        either=not words[2].startswith("*") and not words[4].startswith("*"),
    )


def _list_values(element: str, number: int) -> range:
    """The numbers an element of the field stands for; none when it is not one."""
    match = _ELEMENT.fullmatch(element)
    _, least, most, names = FIELDS[number]
    if match is None or (match[2] is not None and int(match[2]) == 0):
        return range(0)
    step = int(match[2] or 1)
    if match[1] == "*":
        return range(least, most + 1, step)
    values = [_read_value(word, least, names) for word in match[1].split("-")]
    if not all(least <= value <= most for value in values) or values != sorted(values):
        return range(0)
    last = most if match[2] is not None and len(values) == 1 else values[-1]
    return range(values[0], last + 1, step)


def _read_value(word: str, least: int, names: tuple[str, ...]) -> int:
    """The number a word stands for; -1 when it is none."""
    if word.isdecimal():
        return int(word)
    return names.index(word.lower()) + least if word.lower() in names else -1
