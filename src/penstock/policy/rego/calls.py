"""Calls functions: the language's own, and those of modules."""

from collections.abc import Sequence

from penstock.policy.rego.builtins import Builtin
from penstock.policy.rego.builtins.patterns import is_pattern
from penstock.policy.rego.errors import BuiltinError, RegoError
from penstock.policy.rego.run import Context, Env, Fn, Mock, RuleSet
from penstock.policy.rego.tree import Call, Scalar
from penstock.policy.rego.values import UNDEFINED, Value

_PATTERN_AT = {
    "regex.match": 0,
    "re_match": 0,
    "regex.find_n": 0,
    "regex.find_all_string_submatch_n": 0,
    "regex.split": 0,
    "regex.replace": 1,
}
"""Which argument is a pattern."""

_SOFT = (BuiltinError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError)
"""What a builtin raises for values that are not of its kind: then there is no result."""


CLOCK = "time.now_ns"
"""The builtin that says the same as long as an evaluation lasts."""

_OPERATORS = frozenset({"in", "in_3", "plus", "minus", "mul", "div", "rem", "and", "or"})


def check_pattern(call: Call) -> None:
    """Raises RegoError for a pattern that is none, when it is written out: it would match nothing."""
    at = _PATTERN_AT.get(".".join(call.path))
    pattern = call.args[at] if at is not None and at < len(call.args) else None
    if isinstance(pattern, Scalar) and isinstance(pattern.value, str) and not is_pattern(pattern.value):
        raise RegoError(call.line, f"invalid pattern {pattern.value[:80]}")


def apply_rules(function: RuleSet, args: Sequence[Fn]) -> Fn:
    """The value of a function of a module."""

    def call(env: Env) -> Value:
        values = tuple([fn(env) for fn in args])
        if UNDEFINED in values:
            return UNDEFINED
        context = env[0]
        if context.mocks and function in context.mocks:
            return context.mocks[function](context.unmock(), values)
        return function.call(context, values)

    return call


def apply_builtin(name: str, builtin: Builtin, args: Sequence[Fn]) -> Fn:
    """The value of a builtin."""
    if name == CLOCK:
        return _mockable(name, lambda env: env[0].moment, args)
    function = builtin.function
    if len(args) == 2:  # noqa: PLR2004 - most have two
        return _mockable(name, _apply_two(builtin, args[0], args[1]), args)

    def call(env: Env) -> Value:
        values = [fn(env) for fn in args]
        if UNDEFINED in values:
            return UNDEFINED
        try:
            return function(*values)
        except _SOFT:
            return UNDEFINED

    return _mockable(name, call, args)


def _mockable(name: str, call: Fn, args: Sequence[Fn]) -> Fn:
    """The call, or that of what stands for the builtin meanwhile; operators stay what they are."""
    if not name[0].isalpha() or name in _OPERATORS:
        return call

    def choose(env: Env) -> Value:
        context = env[0]
        if not context.mocks or name not in context.mocks:
            return call(env)
        values = tuple([fn(env) for fn in args])
        return UNDEFINED if UNDEFINED in values else context.mocks[name](context.unmock(), values)

    return choose


def make_mock(function: RuleSet | Builtin) -> Mock:
    """The function as one that stands for another."""
    if isinstance(function, RuleSet):
        return function.call

    def call(_context: Context, values: tuple[Value, ...]) -> Value:
        try:
            return function.function(*values)
        except _SOFT:
            return UNDEFINED

    return call


def _apply_two(builtin: Builtin, first: Fn, second: Fn) -> Fn:
    function = builtin.function

    def call(env: Env) -> Value:
        left, right = first(env), second(env)
        if left is UNDEFINED or right is UNDEFINED:
            return UNDEFINED
        try:
            return function(left, right)
        except _SOFT:
            return UNDEFINED

    return call
