"""The value of an expression, given the values of names."""

from collections.abc import Callable
from typing import assert_never

from penstock.language.circleci.expression.parser import (
    Chain,
    Comparison,
    Expression,
    Literal,
    Negation,
    Variable,
)
from penstock.language.circleci.expression.token import ExpressionError, Kind, Pattern, Token
from penstock.language.common.pattern import PatternError, matches_whole

MISSING = object()
"""What a lookup answers for a name it does not know; None says known but absent."""

Lookup = Callable[[str], object]

Match = Callable[[str, str], bool]
"""Whether a pattern matches a whole text; raises PatternError as `matches_whole` does."""


def evaluate(tree: Expression, lookup: Lookup, matcher: Match = matches_whole) -> object:
    """The value: text, integer, boolean, pattern, or None for undefined.

    `and` and `or` answer one of their operands and look no further than they must. A comparison with an
    absent value is undefined. Raises ExpressionError (`Interpreter/…`).
    """
    match tree:
        case Literal(value):
            return value
        case Variable(token):
            return _look_up(token, lookup)
        case Negation(operand):
            return not is_truthy(evaluate(operand, lookup, matcher))
        case Chain(kind, operands):
            return _evaluate_chain(kind, operands, lookup, matcher)
        case Comparison(operator, left, right):
            return _compare(
                operator, evaluate(left, lookup, matcher), evaluate(right, lookup, matcher), matcher
            )
        case _:
            assert_never(tree)


def is_truthy(value: object) -> bool:
    """False for false, undefined, 0, NaN and the empty text or list (CircleCI config reference: logic)."""
    return bool(value) and value == value  # noqa: PLR0124 - NaN differs from itself


def _look_up(token: Token, lookup: Lookup) -> object:
    value = lookup(token.lexeme)
    if value is MISSING:
        raise ExpressionError("Interpreter/UNKNOWN_VARIABLE", token.lexeme, token.position, token.kind)
    return value


def _evaluate_chain(kind: Kind, operands: tuple[Expression, ...], lookup: Lookup, matcher: Match) -> object:
    """The first operand that decides; undefined decides an `and`, but not an `or`."""
    value: object = None
    for operand in operands:
        value = evaluate(operand, lookup, matcher)
        if is_truthy(value) is (kind is Kind.OR):
            break
    return value


def _compare(operator: Token, left: object, right: object, matcher: Match) -> object:
    if left is None or right is None:
        return None
    match operator.kind:
        case Kind.EQUAL:
            return _equal(left, right)
        case Kind.NOT_EQUAL:
            return not _equal(left, right)
        case Kind.BUILTIN:
            return _call_builtin(operator, left, right, matcher)
        case _:
            return _compare_numbers(operator, left, right)


def _equal(left: object, right: object) -> bool:
    """Typed equality: true is not 1, 1 is not "1"."""
    if isinstance(left, str) and isinstance(right, str):
        return left == right
    return type(left) is type(right) and left == right


def _compare_numbers(operator: Token, left: object, right: object) -> bool:
    if (
        not (isinstance(left, int) and isinstance(right, int))
        or isinstance(left, bool)
        or isinstance(right, bool)
    ):
        raise _refuse("Interpreter/EXPECTED_NUMERIC_OPERAND", operator)
    match operator.kind:
        case Kind.GREATER:
            return left > right
        case Kind.GREATER_EQUAL:
            return left >= right
        case Kind.LESS:
            return left < right
        case _:
            return left <= right


def _call_builtin(operator: Token, left: object, right: object, matcher: Match) -> bool:
    if not isinstance(left, str):
        raise _refuse("Interpreter/EXPECTED_STRING_OPERAND", operator)
    if operator.lexeme == "matches":
        if not isinstance(right, Pattern):
            raise _refuse("Interpreter/EXPECTED_PATTERN_OPERAND", operator)
        return _match_pattern(right, left, operator, matcher)
    if not isinstance(right, str):
        raise _refuse("Interpreter/EXPECTED_STRING_OPERAND", operator)
    return right in left if operator.lexeme == "contains" else left.startswith(right)


def _match_pattern(pattern: Pattern, text: str, operator: Token, matcher: Match) -> bool:
    try:
        return matcher(pattern.text, text)
    except PatternError as error:
        raise _refuse("Scanner/INVALID_PATTERN", operator) from error


def _refuse(type_: str, operator: Token) -> ExpressionError:
    return ExpressionError(type_, operator.lexeme, operator.position, operator.kind)
