"""How functions of the language are written down."""

import inspect
from collections.abc import Callable
from typing import TypeAlias

import msgspec

from penstock.policy.rego.values import Value

Function: TypeAlias = Callable[..., Value]


class Builtin(msgspec.Struct, frozen=True):
    """A function, and how many arguments it takes; None for any number."""

    function: Function
    arity: int | None


def make_table(functions: dict[str, Function]) -> dict[str, Builtin]:
    """The functions as builtins; how many arguments each takes is seen in it."""
    return {name: Builtin(function, _count(function)) for name, function in functions.items()}


def _count(function: Function) -> int | None:
    parameters = inspect.signature(function).parameters.values()
    if any(each.kind is inspect.Parameter.VAR_POSITIONAL for each in parameters):
        return None
    return len(parameters)
