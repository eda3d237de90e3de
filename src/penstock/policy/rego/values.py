"""The values of Rego: JSON's, and sets. Arrays are tuples, objects `Obj`, sets frozensets; none changes."""

import json
import math
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

Value: TypeAlias = Any
"""None, bool, int, float, str, tuple, `Obj` or frozenset; or `UNDEFINED`."""


_ALIKE = frozenset({bool, int, float})
"""Kinds of which Python thinks that some of one are some of another."""


class _Undefined:
    """Nothing, not even null."""

    def __repr__(self) -> str:
        return "undefined"


UNDEFINED = _Undefined()

DEEPEST = 200
"""How deep values may be nested."""


class Obj(dict[Value, Value]):
    """An object; it is never changed once it is somebody's value."""

    __slots__ = ("_hash",)

    def __hash__(self) -> int:  # type: ignore[override]  # what is never changed has one
        try:
            return self._hash
        except AttributeError:
            self._hash: int = hash(frozenset(self.items()))
            return self._hash


def freeze(value: object, depth: int = 0) -> Value:
    """The value of plain data; keys that are no texts become theirs in JSON.

    Raises TypeError for what is none, RecursionError for what is nested too deeply.
    """
    if depth > DEEPEST:
        raise RecursionError
    if isinstance(value, dict):
        return Obj((_name_key(key), freeze(each, depth + 1)) for key, each in value.items())
    if isinstance(value, list | tuple):
        return tuple(freeze(each, depth + 1) for each in value)
    if value is None or isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    raise TypeError(f"{type(value).__name__} is no value of JSON")


def _name_key(key: object) -> str:
    return key if isinstance(key, str) else json.dumps(thaw(key), ensure_ascii=False, separators=(",", ":"))


def thaw(value: Value) -> Any:  # noqa: ANN401 - plain data of any kind
    """Plain data of the value: a set becomes a sorted list."""
    if isinstance(value, Obj):
        return {_name_key(key): thaw(value[key]) for key in sort_values(value)}
    if isinstance(value, tuple):
        return [thaw(each) for each in value]
    if isinstance(value, frozenset):
        return [thaw(each) for each in sort_values(value)]
    return value


def show(value: Value) -> str:
    """The value as Rego prints it; a text in quotes."""
    if isinstance(value, frozenset):
        return "{" + ", ".join(map(show, sort_values(value))) + "}" if value else "set()"
    if isinstance(value, tuple):
        return "[" + ", ".join(map(show, value)) + "]"
    if isinstance(value, Obj):
        return "{" + ", ".join(f"{show(key)}: {show(value[key])}" for key in sort_values(value)) + "}"
    return json.dumps(value, ensure_ascii=False)


def same(left: Value, right: Value) -> bool:
    """Whether two values are equal; to Rego true is not 1."""
    if left != right:
        return False
    kind = type(left)
    if kind is str:
        return True
    if kind is bool or type(right) is bool:
        return kind is type(right)
    if kind is tuple:
        return all(same(mine, other) for mine, other in zip(left, right, strict=True))
    if kind is Obj:
        return all(same(value, right[key]) for key, value in left.items())
    return True


def is_number(value: Value) -> bool:
    """Whether it is a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def sort_values(values: Iterable[Value]) -> list[Value]:
    """The values in Rego's order: null, booleans, numbers, texts, arrays, objects, sets."""
    listed = list(values)
    if all(type(each) is str for each in listed):
        return sorted(listed)
    return sorted(listed, key=rank_value)


def rank_value(value: Value) -> tuple[Any, ...]:  # noqa: PLR0911 - one for each kind
    """What sorts as the value does."""
    match value:
        case None:
            return (0,)
        case bool():
            return (1, value)
        case int() | float():
            return (2, value)
        case str():
            return (3, value)
        case tuple():
            return (4, [rank_value(each) for each in value])
        case Obj():
            keys = sort_values(value)
            return (5, [rank_value(key) for key in keys], [rank_value(value[key]) for key in keys])
        case _:
            return (6, [rank_value(each) for each in sort_values(value)])


def look_up(value: Value, key: Value) -> Value:
    """What an object, an array or a set has under the key, or UNDEFINED."""
    kind = type(value)
    if type(key) in _ALIKE and kind in {Obj, frozenset} and not any(same(key, each) for each in value):
        return UNDEFINED
    if kind is Obj:
        return value.get(key, UNDEFINED)
    if kind is tuple:
        usable = type(key) is int and 0 <= key < len(value)
        return value[key] if usable else UNDEFINED
    if kind is frozenset:
        return key if key in value else UNDEFINED
    return UNDEFINED


def list_items(value: Value) -> Iterable[tuple[Value, Value]]:
    """Keys and values of an object, indexes and elements of an array, members of a set twice."""
    kind = type(value)
    if kind is Obj:
        return list(value.items())
    if kind is tuple:
        return list(enumerate(value))
    if kind is frozenset:
        return [(each, each) for each in sort_values(value)]
    return ()


def walk_value(value: Value, path: tuple[Value, ...] = ()) -> Iterator[tuple[Value, Value]]:
    """Each value within a value with its path, from the outside in."""
    yield (path, value)
    for key, inner in list_items(value):
        yield from walk_value(inner, (*path, key))
