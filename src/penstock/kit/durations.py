"""Durations as people write them in configs and as they read them in a terminal."""

import re

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_MILLIS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 7 * 86_400_000}
_PARTS = re.compile(r"(?:[0-9]+(?:ms|[smhdw])){1,7}")
_PART = re.compile(r"([0-9]+)(ms|[smhdw])")
_LONGEST = 100
_SHORT = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhd])")


def parse_duration(text: str) -> float:
    """Seconds for a text like `10m`, `1.5h`, `90s` or `1h30m`.

    Raises ValueError when the text is anything else; a number without a unit is refused because
    the dialects disagree on what it would mean.
    """
    stripped = text.strip()
    total, position = 0.0, 0
    while position < len(stripped):
        match = _SHORT.match(stripped, position)
        if match is None:
            break
        total += float(match[1]) * _UNITS[match[2]]
        position = match.end()
    if not stripped or position != len(stripped):
        msg = f"not a duration: {text!r} (write for example 30s, 10m or 1.5h)"
        raise ValueError(msg)
    return total


def parse_go_duration(text: str) -> int:
    """Milliseconds for whole numbers with units, as of CircleCI's `ttl`: `90m`, `1h30m`, `2d`, `1w`.

    Raises ValueError when the text is anything else.
    """
    if len(text) > _LONGEST or not _PARTS.fullmatch(text):
        raise ValueError("a duration is written like 30m, 1h30m or 2d")
    return sum(int(number) * _MILLIS[unit] for number, unit in _PART.findall(text))


def format_duration(seconds: float) -> str:
    """A short text for people: `0.4s`, `12s`, `3m 04s`, `1h 02m`."""
    if seconds < 10:  # noqa: PLR2004 - below ten seconds tenths still matter to a reader
        return f"{max(seconds, 0):.1f}s"
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    if minutes == 0:
        return f"{rest}s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h {minutes:02}m" if hours else f"{minutes}m {rest:02}s"


def format_go_duration(seconds: float) -> str:
    """The text Go's time.Duration prints, which vendors' messages use: `10m0s`, `1h0m0s`, `1.5s`."""
    whole, fraction = divmod(round(seconds * 1000), 1000)
    minutes, secs = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    tail = f"{secs}.{fraction:03}".rstrip("0") if fraction else str(secs)
    if hours:
        return f"{hours}h{minutes}m{tail}s"
    return f"{minutes}m{tail}s" if minutes else f"{tail}s"
