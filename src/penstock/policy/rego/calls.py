"""Calls functions: the language's own, and those of modules."""

from collections.abc import Sequence

from penstock.policy.rego.builtins import Builtin
from penstock.policy.rego.errors import BuiltinError
from penstock.policy.rego.run import Env, Fn, RuleSet
from penstock.policy.rego.values import UNDEFINED, Value

_SOFT = (BuiltinError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError)
"""What a builtin raises for values that are not of its kind: then there is no result."""


def apply_rules(function: RuleSet, args: Sequence[Fn]) -> Fn:
    """The value of a function of a module."""

    def call(env: Env) -> Value:
        values = tuple([fn(env) for fn in args])
        return UNDEFINED if UNDEFINED in values else function.call(env[0], values)

    return call


def apply_builtin(builtin: Builtin, args: Sequence[Fn]) -> Fn:
    """The value of a builtin."""
    function = builtin.function
    if len(args) == 2:  # noqa: PLR2004 - most have two
        return _apply_two(builtin, args[0], args[1])

    def call(env: Env) -> Value:
        values = [fn(env) for fn in args]
        if UNDEFINED in values:
            return UNDEFINED
        try:
            return function(*values)
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
