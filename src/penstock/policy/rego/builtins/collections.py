"""Functions of arrays, objects and sets, and questions about types."""

import math
from collections.abc import Iterable

from penstock.policy.rego.builtins.numbers import check_number, tidy
from penstock.policy.rego.builtins.table import make_table
from penstock.policy.rego.errors import BuiltinError
from penstock.policy.rego.values import UNDEFINED, Obj, Value, is_number, look_up, same, sort_values

_TYPES = {str: "string", bool: "boolean", int: "number", float: "number", tuple: "array", Obj: "object",
          frozenset: "set", type(None): "null"}  # fmt: skip


def check_list(value: Value) -> Iterable[Value]:
    """The members of an array or a set; raises BuiltinError for others."""
    if not isinstance(value, tuple | frozenset):
        raise BuiltinError
    return value


def check_object(value: Value) -> Obj:
    """The value when it is an object; raises BuiltinError."""
    if not isinstance(value, Obj):
        raise BuiltinError
    return value


def _check_array(value: Value) -> tuple[Value, ...]:
    if not isinstance(value, tuple):
        raise BuiltinError
    return value


def _count(value: Value) -> Value:
    if isinstance(value, str | tuple | Obj | frozenset):
        return len(value)
    raise BuiltinError


def _sum(value: Value) -> Value:
    return tidy(sum(check_number(each) for each in check_list(value)))


def _product(value: Value) -> Value:
    return tidy(math.prod(check_number(each) for each in check_list(value)))


def _max(value: Value) -> Value:
    return sort_values(check_list(value))[-1]


def _min(value: Value) -> Value:
    return sort_values(check_list(value))[0]


def _sort(value: Value) -> Value:
    return tuple(sort_values(check_list(value)))


def _is_in(member: Value, holder: Value) -> Value:
    if isinstance(holder, Obj):
        return any(same(member, each) for each in holder.values())
    if isinstance(holder, frozenset) and not isinstance(member, bool | int | float):
        return member in holder
    return isinstance(holder, tuple | frozenset) and any(same(member, each) for each in holder)


def _concat(left: Value, right: Value) -> Value:
    return _check_array(left) + _check_array(right)


def _slice(array: Value, start: Value, stop: Value) -> Value:
    return _check_array(array)[max(start, 0) : max(stop, 0)]


def _get(holder: Value, key: Value, otherwise: Value) -> Value:
    value = check_object(holder)
    for each in key if isinstance(key, tuple) else (key,):
        value = look_up(value, each)
        if value is UNDEFINED:
            return otherwise
    return value


def _keys(holder: Value) -> Value:
    return frozenset(check_object(holder))


def _list_keys(keys: Value) -> frozenset[Value]:
    return frozenset(keys if isinstance(keys, Obj) else check_list(keys))


def _remove(holder: Value, keys: Value) -> Value:
    dropped = _list_keys(keys)
    return Obj((key, value) for key, value in check_object(holder).items() if key not in dropped)


def _filter(holder: Value, keys: Value) -> Value:
    kept = _list_keys(keys)
    return Obj((key, value) for key, value in check_object(holder).items() if key in kept)


def _merge(left: Value, right: Value) -> Obj:
    merged = Obj(check_object(left))
    for key, value in check_object(right).items():
        mine = merged.get(key)
        both = isinstance(mine, Obj) and isinstance(value, Obj)
        merged[key] = _merge(mine, value) if both else value
    return merged


def _merge_all(every: Value) -> Value:
    merged = Obj()
    for each in check_list(every):
        merged = _merge(merged, each)
    return merged


def _is_subset(holder: Value, part: Value) -> Value:
    if isinstance(holder, Obj) and isinstance(part, Obj):
        return all(key in holder and _holds(holder[key], value) for key, value in part.items())
    if isinstance(holder, tuple) and isinstance(part, tuple):
        size = len(part)
        return any(same(holder[at : at + size], part) for at in range(len(holder) - size + 1))
    if isinstance(holder, Obj) or not isinstance(part, frozenset):
        raise BuiltinError
    return part <= frozenset(check_list(holder))


def _holds(value: Value, part: Value) -> bool:
    both = type(value) is type(part) and isinstance(value, Obj | tuple | frozenset)
    return bool(_is_subset(value, part)) if both else same(value, part)


def _union(every: Value) -> Value:
    return frozenset[Value]().union(*(frozenset(check_list(each)) for each in check_list(every)))


def _intersection(every: Value) -> Value:
    listed = [frozenset(check_list(each)) for each in check_list(every)]
    return frozenset[Value].intersection(*listed) if listed else frozenset()


def _flatten(array: Value) -> Value:
    return tuple(
        inner for each in _check_array(array) for inner in (each if isinstance(each, tuple) else (each,))
    )


def _say_nothing(*_values: Value) -> Value:
    return True


TABLE = make_table({
    "in": _is_in,
    "in_3": lambda key, member, holder: same(look_up(holder, key), member),
    "count": _count,
    "sum": _sum,
    "product": _product,
    "max": _max,
    "min": _min,
    "sort": _sort,
    "any": lambda values: any(each is True for each in check_list(values)),
    "all": lambda values: all(each is True for each in check_list(values)),
    "array.concat": _concat,
    "array.slice": _slice,
    "array.flatten": _flatten,
    "array.reverse": lambda array: _check_array(array)[::-1],
    "object.get": _get,
    "object.keys": _keys,
    "object.remove": _remove,
    "object.filter": _filter,
    "object.union": _merge,
    "object.union_n": _merge_all,
    "object.subset": _is_subset,
    "union": _union,
    "intersection": _intersection,
    "set_diff": lambda left, right: frozenset(check_list(left)) - frozenset(check_list(right)),
    "is_number": is_number,
    "is_string": lambda value: isinstance(value, str),
    "is_boolean": lambda value: isinstance(value, bool),
    "is_array": lambda value: isinstance(value, tuple),
    "is_object": lambda value: isinstance(value, Obj),
    "is_set": lambda value: isinstance(value, frozenset),
    "is_null": lambda value: value is None,
    "type_name": lambda value: _TYPES[type(value)],
    "cast_array": lambda value: tuple(sort_values(check_list(value))),
    "cast_set": lambda value: frozenset(check_list(value)),
    "walk": lambda _value: UNDEFINED,  # a statement of its own
    "print": _say_nothing,
    "trace": lambda _note: True,
})  # fmt: skip
