"""Checked values of a config, read as the types a plan wants."""

import math
from collections.abc import Mapping

from penstock.kit.durations import parse_duration
from penstock.language.common.scalars import show_scalar
from penstock.language.common.tree import Items, Map

_LONG_UNITS = (
    ("seconds", "s"), ("second", "s"), ("sec", "s"), ("minutes", "m"), ("minute", "m"), ("min", "m"),
    ("hours", "h"), ("hour", "h"),
)  # fmt: skip


def read_text(source: Map, key: str) -> str:
    """The value as text; empty when it is not there."""
    return show_scalar(source.get(key))


def read_optional(source: Map, key: str) -> str | None:
    """The value as text, or None."""
    value = source.get(key)
    return None if value is None else show_scalar(value)


def read_texts(value: object) -> tuple[str, ...]:
    """A list, or a single value, as texts."""
    if value is None:
        return ()
    return tuple(show_scalar(item) for item in (value if isinstance(value, Items) else [value]))


def read_variables(value: object) -> dict[str, str]:
    """Environment variables from a map or a list of maps; numbers and booleans become text."""
    if isinstance(value, Items):
        merged: dict[str, str] = {}
        for part in value:
            merged |= read_variables(part)
        return merged
    if isinstance(value, str):  # `NAME=value`, as in a compose file
        name, _, text = value.partition("=")
        return {name: text}
    if not isinstance(value, Map):
        return {}
    return {name: show_scalar(item) for name, item in value.items()}


def read_seconds(value: object) -> float | None:
    """A duration such as `10m` in seconds, or None."""
    if value is None:
        return None
    text = show_scalar(value).replace(" ", "")
    for long, short in _LONG_UNITS:
        text = text.replace(long, short)
    try:
        return parse_duration(text)
    except ValueError:
        return None


def strip_marks(value: Mapping[str, object]) -> dict[str, object]:
    """The mapping as plain data without the marks of its source, as a plan may hold it."""
    return {key: _strip(item) for key, item in value.items()}


def _strip(value: object) -> object:
    match value:
        case Map():
            return strip_marks(value)
        case Items():
            return [_strip(item) for item in value]
        case float() if not math.isfinite(value):  # a plan is written as JSON, which has no such number
            return show_scalar(value)
        case _:
            return value
