"""Parameters: their types, and how arguments are held against a declaration."""

import re
from collections.abc import Callable, Iterable, Mapping

from penstock.language.common.diagnostic import Reporter, suggest_name
from penstock.language.common.scalars import show_scalar
from penstock.language.common.tree import Items, Map, Place, Unresolved

PIPELINE_TYPES = ("string", "boolean", "integer", "enum")
ELEMENT_TYPES = (*PIPELINE_TYPES, "executor", "steps", "env_var_name")

_TYPE_NAMES: tuple[tuple[type, str], ...] = (
    (str, "string"), (bool, "boolean"), (int, "integer"), (float, "number"), (Map, "map"), (Items, "list"),
)  # fmt: skip
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


_WAYS_OUT = {
    "string": "a text", "boolean": "true or false", "integer": "a whole number",
    "executor": "the name of an executor, or a map with 'name' and its arguments",
    "steps": "a list of steps",
}  # fmt: skip


def _fits_enum(value: object, spec: Mapping[str, object]) -> bool:
    options = spec.get("enum")
    return not isinstance(options, Items) or show_scalar(value) in map(show_scalar, options)


_FITS: dict[str, Callable[[object, Mapping[str, object]], bool]] = {
    "string": lambda value, _: isinstance(value, str),
    "boolean": lambda value, _: isinstance(value, bool),
    "integer": lambda value, _: isinstance(value, int) and not isinstance(value, bool),
    "enum": _fits_enum,
    "executor": lambda value, _: isinstance(value, str) or (isinstance(value, Map) and "name" in value),
    "steps": lambda value, _: isinstance(value, Items),
    "env_var_name": lambda value, _: isinstance(value, str) and _VARIABLE.match(value) is not None,
}


def fits_type(value: object, spec: Mapping[str, object]) -> bool:
    """True when a value is of a declared type (CircleCI config reference: parameter types).

    A type that does not exist fits everything: it is reported where it is declared.
    """
    fits = _FITS.get(str(spec.get("type")))
    return fits is None or isinstance(value, Unresolved) or fits(value, spec)


def check_type(name: str, value: object, spec: Map, report: Reporter, place: Place) -> bool:
    """True when the value fits; else that is reported in the vendor's words."""
    if fits_type(value, spec):
        return True
    message = (
        f"Type error for argument {name}: expected type: {spec.get('type')}, "
        f"actual value: {_show_value(value)} (type {_name_type(value)})"
    )
    report.error("argument-type", message, place, hint=_explain_type(value, spec))
    return False


def check_names(
    declared: Mapping[str, object], given: Iterable[str], report: Reporter, place: Place, calls: Place
) -> bool:
    """True when every given argument is declared and every required one given.

    `place` is the call; `calls` the container whose keys are the arguments.
    """
    names = list(given)
    unexpected = sorted(name for name in names if name not in declared)
    missing = sorted(
        name
        for name, spec in declared.items()
        if isinstance(spec, Map) and "default" not in spec and name not in names
    )
    if unexpected:
        hints = [suggest_name(name, declared) for name in unexpected]
        hint = (
            next((hint for hint in hints if hint.startswith("did")), hints[0]) or "it declares no parameters"
        )
        message = f"Unexpected argument(s): {', '.join(unexpected)}"
        report.error(
            "unexpected-argument", message, Place(calls.container, unexpected[0], on_key=True), hint=hint
        )
    if missing:
        message = f"Missing required argument(s): {', '.join(missing)}"
        report.error("missing-argument", message, place, hint="give a value here, or declare a default")
    return not unexpected and not missing


def _show_value(value: object) -> str:
    match value:
        case str():
            return f'"{value[:80]}"'
        case Map() | Items():
            from penstock.language.circleci.emit import emit_inline

            return emit_inline(value)[:80]
        case None:
            return "null"
        case _:
            return show_scalar(value)


def _name_type(value: object) -> str:
    return next((name for kind, name in _TYPE_NAMES if isinstance(value, kind)), "null")


def _explain_type(value: object, spec: Map) -> str:
    match spec.get("type"):
        case "string" if isinstance(value, int | float):
            return f'quote it: "{show_scalar(value)}"'
        case "enum" if isinstance(options := spec.get("enum"), Items):
            return suggest_name(show_scalar(value), map(show_scalar, options))
        case "integer" | "boolean" if isinstance(value, str):
            return "write it without quotes"
        case "env_var_name":
            return "letters, digits and _, not starting with a digit"
        case kind:
            return f"give {_WAYS_OUT.get(str(kind), 'another value')}"
