"""`sprintf`: its verbs are those of Go, where Rego comes from."""

import json
import re

from penstock.policy.rego.builtins.collections import check_list
from penstock.policy.rego.builtins.table import make_table
from penstock.policy.rego.errors import BuiltinError, EvaluationError
from penstock.policy.rego.values import Value, is_number, show

WIDEST = 10_000
"""Characters to which a value may be filled up."""

_VERB = re.compile(r"%([-+# 0]*)(\d{1,9})?(?:(\.)(\d{0,9}))?(.)?", re.DOTALL)
_BASES = {"d": "d", "x": "x", "X": "X", "o": "o", "b": "b"}
_LARGEST = 1 << 63


class _Form:
    """How a value is to be shown."""

    def __init__(self, match: re.Match[str]) -> None:
        self.flags: str = match[1]
        self.width = int(match[2] or 0)
        self.precision = int(match[4] or 0) if match[3] else None
        self.verb: str = match[5] or ""
        if max(self.width, self.precision or 0) > WIDEST:
            raise EvaluationError(f"sprintf: a value is to be more than {WIDEST} characters wide")


def _print(pattern: Value, values: Value) -> Value:
    if not isinstance(pattern, str):
        raise BuiltinError
    given, used = list(check_list(values)), 0

    def fill(match: re.Match[str]) -> str:
        nonlocal used
        form = _Form(match)
        if form.verb in {"", "%"}:
            return form.verb or "%!(NOVERB)"
        if used >= len(given):
            return f"%!{form.verb}(MISSING)"
        used += 1
        return _pad(_show(form, given[used - 1]), form)

    shown = _VERB.sub(fill, pattern)
    extra = ", ".join(f"{_name_kind(each)}={_show_plain(each)}" for each in given[used:])
    return f"{shown}%!(EXTRA {extra})" if extra else shown


def _show(form: _Form, value: Value) -> str:
    if is_number(value):
        whole = isinstance(value, int) and abs(value) < _LARGEST
        return _show_number(form, value) if whole or isinstance(value, float) else _show_large(form, value)
    return _show_text(form, _show_plain(value))


def _show_plain(value: Value) -> str:
    return value if isinstance(value, str) else show(value)


def _show_number(form: _Form, value: float) -> str:
    sign = "+" if "+" in form.flags else " " if " " in form.flags else ""
    verb, precision = form.verb, form.precision
    if verb == "v":
        return f"{sign if value >= 0 else ''}{show(value)}"
    if isinstance(value, int):
        if verb in _BASES:
            prefix = "#" if "#" in form.flags else ""
            return format(value, sign + prefix + _BASES[verb])
        if verb in {"c", "q", "U"} and 0 <= value < 0x110000:  # noqa: PLR2004 - the last character there is
            return {"c": chr(value), "q": f"'{chr(value)}'", "U": f"U+{value:04X}"}[verb]
    elif verb in {"f", "F", "e", "E"}:
        return format(value, f"{sign}.{6 if precision is None else precision}{verb}")
    elif verb in {"g", "G"}:
        return format(value, f"{sign}.{precision}{verb}") if precision is not None else show(value)
    return f"%!{verb}({_name_kind(value)}={show(value)})"


def _show_large(form: _Form, value: int) -> str:
    """A number that is more than a machine's: a text unless it is to be a number."""
    if form.verb in _BASES:
        return format(value, _BASES[form.verb])
    return _show_text(form, str(value))


def _show_text(form: _Form, text: str) -> str:
    match form.verb:
        case "s" | "v":
            return text[: form.precision]
        case "q":
            return json.dumps(text[: form.precision], ensure_ascii=False)
        case "x":
            return text.encode("utf-8", "replace").hex()
        case "X":
            return text.encode("utf-8", "replace").hex().upper()
        case _:
            pass
    return f"%!{form.verb}(string={text})"


def _name_kind(value: Value) -> str:
    if is_number(value):
        return "int" if isinstance(value, int) else "float64"
    return "string"


def _pad(text: str, form: _Form) -> str:
    if "-" in form.flags:
        return text.ljust(form.width)
    return text.zfill(form.width) if "0" in form.flags else text.rjust(form.width)


TABLE = make_table({
    "sprintf": _print,
})  # fmt: skip
