"""Operators, and functions of numbers."""

import math
import operator
import random
from collections.abc import Callable

from penstock.policy.rego.builtins.table import Function, make_table
from penstock.policy.rego.errors import BuiltinError, EvaluationError
from penstock.policy.rego.values import Value, is_number, rank_value, same

MOST_NUMBERS = 1_000_000
"""How many numbers a range may have."""

_MOST_BITS = 1 << 13


def check_number(value: Value) -> int | float:
    """The value when it is a number; raises BuiltinError."""
    if not is_number(value):
        raise BuiltinError
    return value  # type: ignore[no-any-return]  # is_number says so


def tidy(number: float) -> int | float:
    """The number, as an int when it is whole."""
    if isinstance(number, int):
        if number.bit_length() > _MOST_BITS:
            raise EvaluationError("a number is too large")
        return number
    if math.isinf(number) or math.isnan(number):
        raise BuiltinError
    return int(number) if number.is_integer() and abs(number) < 1 << 53 else number


def _plus(left: Value, right: Value) -> Value:
    return tidy(check_number(left) + check_number(right))


def _minus(left: Value, right: Value) -> Value:
    if isinstance(left, frozenset) and isinstance(right, frozenset):
        return left - right
    return tidy(check_number(left) - check_number(right))


def _mul(left: Value, right: Value) -> Value:
    return tidy(check_number(left) * check_number(right))


def _div(left: Value, right: Value) -> Value:
    one, other = check_number(left), check_number(right)
    if isinstance(one, int) and isinstance(other, int) and one % other == 0:
        return one // other
    return tidy(one / other)


def _rem(left: Value, right: Value) -> Value:
    if not isinstance(check_number(left), int) or not isinstance(check_number(right), int):
        raise BuiltinError
    rest = abs(left) % abs(right)
    return -rest if left < 0 else rest


def _both(left: Value, right: Value) -> Value:
    if not isinstance(left, frozenset) or not isinstance(right, frozenset):
        raise BuiltinError
    return left & right


def _either(left: Value, right: Value) -> Value:
    if not isinstance(left, frozenset) or not isinstance(right, frozenset):
        raise BuiltinError
    return left | right


def _less(left: Value, right: Value) -> Value:
    if type(left) is type(right) and isinstance(left, str):
        return left < right
    return rank_value(left) < rank_value(right)


def _less_or_same(left: Value, right: Value) -> Value:
    return rank_value(left) <= rank_value(right)


def _round(value: Value) -> Value:
    number = check_number(value)
    return int(math.copysign(math.floor(abs(number) + 0.5), number))


def _range(first: Value, last: Value) -> Value:
    return _range_step(first, last, 1)


def _range_step(first: Value, last: Value, step: Value) -> Value:
    one, other, by = (check_number(each) for each in (first, last, step))
    if not (isinstance(one, int) and isinstance(other, int) and isinstance(by, int)) or by <= 0:
        raise BuiltinError
    if abs(one - other) // by >= MOST_NUMBERS:
        raise EvaluationError(f"numbers.range gives more than {MOST_NUMBERS} numbers")
    return tuple(range(one, other + 1, by) if one <= other else range(one, other - 1, -by))


def _pick(seed: Value, most: Value) -> Value:
    return random.Random(seed).randrange(int(check_number(most)))  # noqa: S311 - a policy's dice


def _check_int(value: Value) -> int:
    if type(value) is not int:
        raise BuiltinError
    return value


def _on_bits(function: Callable[[int, int], int]) -> Function:
    """A function of the bits of two whole numbers."""

    def call(left: Value, right: Value) -> Value:
        return function(_check_int(left), _check_int(right))

    return call


def _shift(value: Value, by: Value) -> Value:
    if _check_int(by) < 0:
        raise BuiltinError
    if by > _MOST_BITS:
        raise EvaluationError("a number is too large")
    return tidy(_check_int(value) << by)


def _shift_back(value: Value, by: Value) -> Value:
    if _check_int(by) < 0:
        raise BuiltinError
    return _check_int(value) >> by


def _abs(value: Value) -> Value:
    return abs(check_number(value))


def _ceil(value: Value) -> Value:
    return math.ceil(check_number(value))


def _floor(value: Value) -> Value:
    return math.floor(check_number(value))


TABLE = make_table({
    "==": same,
    "!=": lambda left, right: not same(left, right),
    "<": _less,
    "<=": _less_or_same,
    ">": lambda left, right: _less(right, left),
    ">=": lambda left, right: _less_or_same(right, left),
    "plus": _plus,
    "minus": _minus,
    "mul": _mul,
    "div": _div,
    "rem": _rem,
    "and": _both,
    "or": _either,
    "round": _round,
    "ceil": _ceil,
    "floor": _floor,
    "abs": _abs,
    "bits.and": _on_bits(operator.and_),
    "bits.or": _on_bits(operator.or_),
    "bits.xor": _on_bits(operator.xor),
    "bits.negate": lambda value: ~_check_int(value),
    "bits.lsh": _shift,
    "bits.rsh": _shift_back,
    "numbers.range": _range,
    "numbers.range_step": _range_step,
    "rand.intn": _pick,
})  # fmt: skip
