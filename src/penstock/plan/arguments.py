"""Arguments for declared parameters: read from text as on a command line, and checked."""

from collections.abc import Iterable, Mapping

from penstock.model.errors import InvalidError
from penstock.plan.workflow import ParameterSpec

Simple = str | int | bool

_YES = frozenset({"true", "yes", "on"})
_NO = frozenset({"false", "no", "off"})


def read_arguments(specs: Iterable[ParameterSpec], texts: Mapping[str, str]) -> dict[str, str | int | bool]:
    """Each text as its declared type; one that does not fit, or has no declaration, stays text.

    What does not fit is for the compiler to report, which knows the place of the declaration.
    """
    declared = {spec.name: spec for spec in specs}
    return {name: _read(declared[name], text) if name in declared else text for name, text in texts.items()}


def fill_arguments(specs: Iterable[ParameterSpec], given: Mapping[str, Simple]) -> dict[str, Simple]:
    """The argument of each parameter: the given one, else the default; optional ones may have none.

    Raises InvalidError for a name that is not declared, a value of another type or not among the options,
    and a required parameter without any.
    """
    declared = {spec.name: spec for spec in specs}
    if unknown := sorted(given.keys() - declared.keys()):
        known = ", ".join(declared) or "none"
        raise InvalidError(f"there is no parameter {unknown[0]!r}; there are: {known}")
    filled: dict[str, Simple] = {}
    for name, spec in declared.items():
        value = given.get(name, spec.default)
        if value is not None:
            _check_value(spec, value)
            filled[name] = value
        elif spec.required:
            raise InvalidError(f"parameter {name} needs a value")
    return filled


def _check_value(spec: ParameterSpec, value: Simple) -> None:
    if spec.options and value not in spec.options:
        options = ", ".join(str(option) for option in spec.options)
        raise InvalidError(f"parameter {spec.name} must be one of {options}, not {value}")
    wanted = {"boolean": bool, "integer": int, "string": str}.get(spec.type)
    if wanted is not None and type(value) is not wanted:
        raise InvalidError(f"parameter {spec.name} must be a {spec.type}, not {value!r}")


def _read(spec: ParameterSpec, text: str) -> str | int | bool:
    word = text.strip().lower()
    if spec.type == "boolean" and word in _YES | _NO:
        return word in _YES
    if spec.type == "integer" and word.removeprefix("-").isdecimal():
        return int(word)
    if spec.type == "enum":
        return next((option for option in spec.options if str(option) == text), text)
    return text
