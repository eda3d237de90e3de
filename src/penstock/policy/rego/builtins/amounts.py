"""Functions of amounts with units, and of versions."""

import re
from fractions import Fraction
from functools import cmp_to_key

from penstock.policy.rego.builtins.numbers import tidy
from penstock.policy.rego.builtins.strings import check_text
from penstock.policy.rego.builtins.table import make_table
from penstock.policy.rego.errors import BuiltinError
from penstock.policy.rego.values import Value

_LONGEST = 100
_AMOUNT = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?)([a-zA-Z]*)")
_POWERS = {name: at for at, name in enumerate("kmgtpe", 1)}
_VERSION = re.compile(
    r"v?(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z.-]+)?"
)


def _read_amount(text: Value) -> tuple[Fraction, str]:
    """The number and the unit."""
    written = check_text(text).replace('"', "")
    found = _AMOUNT.fullmatch(written) if len(written) <= _LONGEST else None
    if found is None:
        raise BuiltinError
    return Fraction(found[1]), found[2]


def _find_scale(unit: str) -> int | None:
    """What `k`, `ki` and so on stand for."""
    if unit == "":
        return 1
    power = _POWERS.get(unit[0])
    if power is None or unit[1:] not in {"", "i"}:
        return None
    return int((1024 if unit[1:] else 1000) ** power)


def _parse(text: Value) -> Value:
    number, unit = _read_amount(text)
    scale = Fraction(1, 1000) if unit == "m" else _find_scale(unit.lower())
    if scale is None:
        raise BuiltinError
    amount = number * scale
    return tidy(int(amount)) if amount.denominator == 1 else float(amount)


def _parse_bytes(text: Value) -> Value:
    number, unit = _read_amount(text)
    scale = _find_scale(unit.lower().removesuffix("b"))
    if scale is None:
        raise BuiltinError
    return tidy(int(number * scale))


def _read_version(text: Value) -> tuple[tuple[int, ...], list[str]]:
    found = _VERSION.fullmatch(check_text(text)) if len(text) <= 10 * _LONGEST else None
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


TABLE = make_table({
    "semver.compare": _compare_versions,
    "semver.is_valid": _is_version,
    "units.parse": _parse,
    "units.parse_bytes": _parse_bytes,
})  # fmt: skip
