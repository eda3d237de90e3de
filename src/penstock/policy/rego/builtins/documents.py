"""Functions that take parts of documents by their paths: JSON pointers without the first slash, or arrays."""

from collections.abc import Callable
from typing import TypeAlias

import msgspec

from penstock.policy.rego.builtins.collections import check_list, check_object
from penstock.policy.rego.builtins.table import make_table
from penstock.policy.rego.errors import BuiltinError
from penstock.policy.rego.values import UNDEFINED, Obj, Value, look_up, same

_Tree: TypeAlias = dict[str, "_Tree | None"]
"""Names and what is wanted below each; None for all of it."""


def split_path(path: Value) -> list[Value]:
    """The names of a path. Raises BuiltinError for what is none."""
    if isinstance(path, tuple):
        return list(path)
    if not isinstance(path, str):
        raise BuiltinError
    names = path.removeprefix("/").split("/") if path else []
    return [name.replace("~1", "/").replace("~0", "~") for name in names]


def _plant(paths: Value) -> _Tree:
    root: _Tree = {}
    for path in check_list(paths):
        names = [str(name) for name in split_path(path)]
        level: _Tree = root
        for name in names[:-1]:
            below = level.setdefault(name, {})
            if below is None:
                break
            level = below
        else:
            if names:
                level[names[-1]] = None
    return root


def _filter(document: Value, paths: Value) -> Value:
    return _keep(check_object(document), _plant(paths))


def _keep(value: Value, wanted: _Tree | None) -> Value:
    if wanted is None:
        return value
    if isinstance(value, Obj):
        found = {key: (each, _find(wanted, key)) for key, each in value.items()}
        kept = {key: _keep(each, below) for key, (each, below) in found.items() if below is not UNDEFINED}
        return Obj(kept)
    if isinstance(value, tuple):
        pairs = [(each, _find(wanted, at)) for at, each in enumerate(value)]
        return tuple(_keep(each, below) for each, below in pairs if below is not UNDEFINED)
    return value


def _find(tree: _Tree, key: Value) -> Value:
    """What is wanted below the key, UNDEFINED when it is not."""
    return tree.get(str(key), UNDEFINED)


def _remove(document: Value, paths: Value) -> Value:
    return _drop(check_object(document), _plant(paths))


def _drop(value: Value, unwanted: _Tree) -> Value:
    if isinstance(value, Obj):
        pairs = ((key, each, _find(unwanted, key)) for key, each in value.items())
        return Obj((key, _drop_below(each, below)) for key, each, below in pairs if below is not None)
    if isinstance(value, tuple):
        listed = ((each, _find(unwanted, at)) for at, each in enumerate(value))
        return tuple(_drop_below(each, below) for each, below in listed if below is not None)
    return value


def _drop_below(value: Value, below: Value) -> Value:
    return value if below is UNDEFINED else _drop(value, below)


class _Change(msgspec.Struct, frozen=True):
    """One operation of a patch."""

    op: str
    path: tuple[Value, ...]
    value: Value
    source: tuple[Value, ...]


def _patch(document: Value, patches: Value) -> Value:
    """The document after operations as RFC 6902 has them; sets have members under themselves."""
    if not isinstance(patches, tuple):
        raise BuiltinError
    for each in patches:
        change = _read_change(each)
        document = _apply(document, change)
    return document


def _read_change(patch: Value) -> _Change:
    given = check_object(patch)
    op, path = given.get("op"), given.get("path")
    source = given.get("from", ())
    value = given.get("value", UNDEFINED)
    if op not in {"add", "remove", "replace", "move", "copy", "test"} or path is None:
        raise BuiltinError
    if (op in {"add", "replace", "test"} and value is UNDEFINED) or (
        op in {"move", "copy"} and "from" not in given
    ):
        raise BuiltinError
    return _Change(op, tuple(split_path(path)), value, tuple(split_path(source)))


def _apply(document: Value, change: _Change) -> Value:
    path, value = change.path, change.value
    match change.op:
        case "add":
            return _edit(document, path, lambda holder, key: _insert(holder, key, value), value)
        case "remove":
            return _edit(document, path, _take_out)
        case "replace":
            _read(document, path)
            return _edit(
                document, path, lambda holder, key: _insert(_take_out(holder, key), key, value), value
            )
        case "test":
            if not same(_read(document, path), value):
                raise BuiltinError
            return document
        case _:
            pass
    moved = _read(document, change.source)
    if change.op == "move":
        document = _edit(document, change.source, _take_out)
    return _edit(document, path, lambda holder, key: _insert(holder, key, moved), moved)


def _read(document: Value, path: tuple[Value, ...]) -> Value:
    for key in path:
        document = look_up(document, _read_key(document, key))
        if document is UNDEFINED:
            raise BuiltinError
    return document


def _edit(
    document: Value,
    path: tuple[Value, ...],
    change: Callable[[Value, Value], Value],
    whole: Value = UNDEFINED,
) -> Value:
    """The document with what holds the last key of the path changed."""
    if not path:
        if whole is UNDEFINED:
            raise BuiltinError
        return whole
    if len(path) == 1:
        return change(document, _read_key(document, path[0]))
    key = _read_key(document, path[0])
    inner = look_up(document, key)
    if inner is UNDEFINED:
        raise BuiltinError
    changed = _edit(inner, path[1:], change, whole)
    if isinstance(document, frozenset):
        return document - {inner} | {changed}
    if isinstance(document, tuple):
        return (*document[:key], changed, *document[key + 1 :])
    return Obj({**document, key: changed})


def _read_key(holder: Value, key: Value) -> Value:
    """The key as the holder has it: for an array a number, `-` for behind its end."""
    if not isinstance(holder, tuple):
        return key
    if key == "-":
        return len(holder)
    if isinstance(key, str):
        if not (key.isascii() and key.isdigit()) or (key[0] == "0" and key != "0"):
            raise BuiltinError
        return int(key[:20])
    return key


def _insert(holder: Value, key: Value, value: Value) -> Value:
    if isinstance(holder, Obj):
        return Obj({**holder, key: value})
    if isinstance(holder, tuple) and isinstance(key, int) and 0 <= key <= len(holder):
        return (*holder[:key], value, *holder[key:])
    if isinstance(holder, frozenset) and same(key, value):
        return holder | {value}
    raise BuiltinError


def _take_out(holder: Value, key: Value) -> Value:
    if look_up(holder, key) is UNDEFINED:
        raise BuiltinError
    if isinstance(holder, Obj):
        return Obj((name, value) for name, value in holder.items() if name != key)
    if isinstance(holder, tuple):
        return (*holder[:key], *holder[key + 1 :])
    return holder - {key}


TABLE = make_table({
    "json.filter": _filter,
    "json.remove": _remove,
    "json.patch": _patch,
})  # fmt: skip
