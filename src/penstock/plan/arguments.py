"""Arguments given as text, as on a command line, read as the types a plan declares."""

from collections.abc import Iterable, Mapping

from penstock.plan.workflow import ParameterSpec

_YES = frozenset({"true", "yes", "on"})
_NO = frozenset({"false", "no", "off"})


def read_arguments(specs: Iterable[ParameterSpec], texts: Mapping[str, str]) -> dict[str, str | int | bool]:
    """Each text as its declared type; one that does not fit, or has no declaration, stays text.

    What does not fit is for the compiler to report, which knows the place of the declaration.
    """
    declared = {spec.name: spec for spec in specs}
    return {name: _read(declared[name], text) if name in declared else text for name, text in texts.items()}


def _read(spec: ParameterSpec, text: str) -> str | int | bool:
    word = text.strip().lower()
    if spec.type == "boolean" and word in _YES | _NO:
        return word in _YES
    if spec.type == "integer" and word.removeprefix("-").isdecimal():
        return int(word)
    if spec.type == "enum":
        return next((option for option in spec.options if str(option) == text), text)
    return text
