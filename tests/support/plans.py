"""Random plans: any value a compiler could hand over, for properties that must hold of all of them."""

import types
from enum import Enum
from typing import Union, get_args, get_origin

import hypothesis.strategies as st
import msgspec

texts = st.text(max_size=6)
json_values: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=4,
)
"""What fields of type `object` hold: anything JSON has."""

PLAIN: dict[object, st.SearchStrategy[object]] = {
    str: texts,
    bool: st.booleans(),
    int: st.integers(-(2**53), 2**53),
    float: st.floats(-1e9, 1e9),
    object: json_values,
    type(None): st.none(),
}


def values_of(kind: object) -> st.SearchStrategy[object]:
    """Values of a field's type, small ones; defaults of structs are left in place half of the time."""
    if kind in PLAIN:
        return PLAIN[kind]
    inner = get_args(kind)
    match get_origin(kind):
        case origin if origin in {types.UnionType, Union}:
            return st.one_of([values_of(option) for option in inner])
        case origin if origin is tuple:
            return st.lists(values_of(inner[0]), max_size=2).map(tuple)
        case origin if origin is dict:
            return st.dictionaries(values_of(inner[0]), values_of(inner[1]), max_size=2)
    assert isinstance(kind, type), kind
    if issubclass(kind, Enum):
        return st.sampled_from(list(kind))
    assert issubclass(kind, msgspec.Struct), kind
    return st.deferred(lambda: structs_of(kind))


def structs_of(kind: type[msgspec.Struct]) -> st.SearchStrategy[object]:
    """Values of a struct type, every field filled or left to its default."""
    required: dict[str, st.SearchStrategy[object]] = {}
    optional: dict[str, st.SearchStrategy[object]] = {}
    for field in msgspec.structs.fields(kind):
        (required if field.required else optional)[field.name] = values_of(field.type)
    return st.fixed_dictionaries(required, optional=optional).map(lambda fields: kind(**fields))
