"""What an unquoted YAML 1.1 scalar means: text, number, boolean or nothing."""

import re

from yaml.constructor import SafeConstructor
from yaml.nodes import ScalarNode

Scalar = str | int | float | bool | None

TEXT = object()
"""The answer for a scalar that is just its text, so that callers need not compare strings."""

LONGEST_NUMBER = 100
"""Characters; a longer run of digits is text (it is a checksum, and long numbers are slow to convert)."""

_NAMED: dict[str, bool | None] = {
    form: meaning
    for word, meaning in (
        ("yes", True), ("no", False), ("true", True), ("false", False), ("on", True), ("off", False),
        ("null", None),
    )
    for form in (word, word.capitalize(), word.upper())
} | {"": None, "~": None}  # fmt: skip

_STARTS = frozenset("-+.0123456789~yYnNtTfFoO")
_INTEGER = re.compile(
    r"[-+]?(?:0b[01_]+|0[0-7_]+|0|[1-9][0-9_]*|0x[0-9a-fA-F_]+|[1-9][0-9_]*(?::[0-5]?[0-9])+)\Z"
)
_FLOAT = re.compile(
    r"(?:[-+]?(?:[0-9][0-9_]*)\.[0-9_]*(?:[eE][-+][0-9]+)?"
    r"|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?"
    r"|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z"
)
_constructor = SafeConstructor()


def resolve_plain(text: str) -> object:
    """The value of an unquoted scalar as YAML 1.1 types it, or `TEXT`.

    Dates stay text: no config language here has a use for a date object.
    """
    if text and text[0] not in _STARTS:
        return TEXT
    if text in _NAMED:
        return _NAMED[text]
    if len(text) > LONGEST_NUMBER:
        return TEXT
    return _resolve_number(text)


def _resolve_number(text: str) -> object:
    """An integer (decimal, octal, hexadecimal, binary, base 60), a float, or `TEXT`."""
    if _INTEGER.match(text):
        if text.isdecimal() and text[0] != "0":
            return int(text)
        return _convert_int(text)
    if _FLOAT.match(text):
        return _convert_float(text)
    return TEXT


def _convert_int(text: str) -> object:
    try:
        return _constructor.construct_yaml_int(ScalarNode("tag:yaml.org,2002:int", text))
    except ValueError:  # only underscores after the prefix, as in `0x_`
        return TEXT


def _convert_float(text: str) -> object:
    try:
        return _constructor.construct_yaml_float(ScalarNode("tag:yaml.org,2002:float", text))
    except ValueError:
        return TEXT


def show_scalar(value: object) -> str:
    """A scalar as text in the way configs expect it: `true`, `3`, `1.5`, nothing for null."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case _:
            return str(value)
