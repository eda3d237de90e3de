"""The cron texts of scheduled workflows: what is wrong with one, and what only this server accepts."""

import re

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("minute", 0, 59, ()), ("hour", 0, 23, ()), ("day of the month", 1, 31, ()), ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 7, _DAYS),
)  # fmt: skip
_ELEMENT = re.compile(r"(\*|[0-9a-z]+(?:-[0-9a-z]+)?)(?:/([0-9]{1,2}))?", re.IGNORECASE)


def find_cron_fault(text: str) -> str:
    """What makes the text no POSIX crontab of five fields; empty when it is one."""
    words = text.split()
    if len(words) != len(_FIELDS):
        return f"it has {len(words)} fields, not minute, hour, day of the month, month and day of the week"
    for word, (name, least, most, names) in zip(words, _FIELDS, strict=True):
        for element in word.split(","):
            if not _is_element(element, least, most, names):
                return f"'{element}' is no {name} ({least} to {most}, a range, or *)"
    return ""


def find_cron_doubt(text: str) -> str:
    """What the vendor does not accept although it has a meaning (CircleCI config reference: cron)."""
    if "/" in text:
        return "steps ('*/20')"
    return "ranges inside lists" if any("," in word and "-" in word for word in text.split()) else ""


def _is_element(element: str, least: int, most: int, names: tuple[str, ...]) -> bool:
    match = _ELEMENT.fullmatch(element)
    if match is None or match[2] == "0":
        return False
    if match[1] == "*":
        return True
    values = [_read_value(word, least, names) for word in match[1].split("-")]
    return all(least <= value <= most for value in values) and values == sorted(values)


def _read_value(word: str, least: int, names: tuple[str, ...]) -> int:
    """The number a word stands for; -1 when it is none."""
    if word.isdecimal():
        return int(word)
    return names.index(word.lower()) + least if word.lower() in names else -1
