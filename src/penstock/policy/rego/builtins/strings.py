"""Functions of texts."""

import re

from penstock.policy.rego.builtins.collections import check_list, check_object
from penstock.policy.rego.builtins.numbers import check_number, tidy
from penstock.policy.rego.builtins.table import Function, make_table
from penstock.policy.rego.errors import BuiltinError
from penstock.policy.rego.values import Value, sort_values

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?0[xX][0-9a-fA-F]+")
_BASES = {2: "b", 8: "o", 10: "d", 16: "x"}


def check_text(value: Value) -> str:
    """The value when it is a text; raises BuiltinError."""
    if not isinstance(value, str):
        raise BuiltinError
    return value


def _concat(between: Value, parts: Value) -> Value:
    listed = sort_values(parts) if isinstance(parts, frozenset) else check_list(parts)
    return check_text(between).join(listed)


def _format_int(value: Value, base: Value) -> Value:
    return format(int(check_number(value)), _BASES[base])


def _find(text: Value, part: Value) -> Value:
    return check_text(text).find(check_text(part))


def _find_all(text: Value, part: Value) -> Value:
    found, at = [], check_text(text).find(check_text(part))
    while at >= 0:
        found.append(at)
        at = text.find(part, at + 1)
    return tuple(found)


def _replace_all(changes: Value, text: Value) -> Value:
    items = {check_text(old): check_text(new) for old, new in sorted(check_object(changes).items())}
    if not items:
        return check_text(text)
    pattern = "|".join(re.escape(old) for old in items)
    return re.sub(pattern, lambda match: items[match.group()], check_text(text))


def _split(text: Value, by: Value) -> Value:
    return tuple(check_text(text).split(by) if check_text(by) else text)


def _cut(text: Value, start: Value, length: Value) -> Value:
    if start < 0:
        raise BuiltinError
    return check_text(text)[start:] if length < 0 else check_text(text)[start : start + length]


def _list_texts(value: Value) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(check_text(each) for each in check_list(value))


def _any_starts(texts: Value, starts: Value) -> Value:
    return any(each.startswith(_list_texts(starts)) for each in _list_texts(texts))


def _any_ends(texts: Value, ends: Value) -> Value:
    return any(each.endswith(_list_texts(ends)) for each in _list_texts(texts))


def _read_number(value: Value) -> Value:
    if value is None:
        return 0
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str):
        if len(value) > 400 or not _NUMBER.fullmatch(value):  # noqa: PLR2004 - longer than any that is meant
            raise BuiltinError
        return (
            int(value, 16)
            if "x" in value.lower()
            else tidy(float(value) if set(value) & set(".eE") else int(value))
        )
    return check_number(value)


def _on_text(method: str) -> Function:
    """A method of texts as a function of one or two of them."""

    def call(text: Value, other: Value) -> Value:
        return getattr(check_text(text), method)(check_text(other))

    return call


TABLE = make_table({
    "concat": _concat,
    "contains": lambda text, part: check_text(part) in check_text(text),
    "startswith": _on_text("startswith"),
    "endswith": _on_text("endswith"),
    "format_int": _format_int,
    "indexof": _find,
    "indexof_n": _find_all,
    "lower": lambda text: check_text(text).lower(),
    "upper": lambda text: check_text(text).upper(),
    "replace": lambda text, old, new: check_text(text).replace(check_text(old), check_text(new)),
    "strings.replace_n": _replace_all,
    "split": _split,
    "substring": _cut,
    "trim": lambda text, signs: check_text(text).strip(check_text(signs)) if signs else text,
    "trim_left": lambda text, signs: check_text(text).lstrip(check_text(signs)) if signs else text,
    "trim_right": lambda text, signs: check_text(text).rstrip(check_text(signs)) if signs else text,
    "trim_prefix": _on_text("removeprefix"),
    "trim_suffix": _on_text("removesuffix"),
    "trim_space": lambda text: check_text(text).strip(),
    "strings.reverse": lambda text: check_text(text)[::-1],
    "strings.count": _on_text("count"),
    "strings.any_prefix_match": _any_starts,
    "strings.any_suffix_match": _any_ends,
    "to_number": _read_number,
})  # fmt: skip
