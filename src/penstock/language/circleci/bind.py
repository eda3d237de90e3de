"""Pipeline parameters: declared in the config, given by the trigger."""

from collections.abc import Mapping
from typing import cast

from penstock.language.circleci.parameters import check_type, fits_type
from penstock.language.common.context import Context
from penstock.language.common.diagnostic import Reporter, suggest_name
from penstock.language.common.tree import Items, Map, Place
from penstock.plan.workflow import ParameterSpec

MOST_PARAMETERS = 100
LONGEST_NAME = 128
LONGEST_VALUE = 512

Simple = str | int | bool


def bind_pipeline(tree: Map, context: Context, report: Reporter) -> dict[str, object]:
    """The value of every pipeline parameter: the trigger's, else the default.

    A name that is not declared, or a value of another type, is reported.
    """
    declared = _read_declared(tree, report)
    if declared is None:
        return dict(context.parameters)
    place = Place(tree, "parameters", on_key=True)
    if len(declared) > MOST_PARAMETERS:
        report.error(
            "too-many-parameters",
            f"more than {MOST_PARAMETERS} pipeline parameters",
            place,
            hint="remove some, or join several in one text",
        )
    if unexpected := sorted(name for name in context.parameters if name not in declared):
        hint = suggest_name(unexpected[0], declared) or "this config declares no pipeline parameters"
        report.error(
            "unexpected-argument", f"Unexpected argument(s): {', '.join(unexpected)}", place, hint=hint
        )
    _check_lengths(context.parameters, place, report)
    return {name: _choose_value(name, spec, context.parameters, report) for name, spec in declared.items()}


def _check_lengths(given: Mapping[str, Simple], place: Place, report: Reporter) -> None:
    """Reports arguments beyond the bounds of the vendor's API (OpenAPI v2: trigger a pipeline, parameters).

    There are at most 100 as well, which is true of any that are declared.
    """
    for name, value in given.items():
        if len(name) > LONGEST_NAME or (isinstance(value, str) and len(value) > LONGEST_VALUE):
            message = (
                f"The argument {name[:LONGEST_NAME]} is too long: a name has at most {LONGEST_NAME} "
                f"characters, a value {LONGEST_VALUE}."
            )
            report.error("argument-too-long", message, place, hint="put long values into a file or a context")


def _read_declared(tree: Map, report: Reporter) -> dict[str, Map] | None:
    """The declarations by name; None when they were found wrong as a whole."""
    section = tree.get("parameters")
    if not isinstance(section, Map):
        return {} if section is None else None
    if report.is_spoiled(section):
        return {name: spec for name, spec in section.items() if isinstance(spec, Map) and "type" in spec}
    return {name: spec for name, spec in section.items() if isinstance(spec, Map)}


def _choose_value(name: str, spec: Map, given: Mapping[str, Simple], report: Reporter) -> object:
    if name in given:
        value: object = given[name]
        check_type(name, value, spec, report, Place(spec))
        return value
    value = spec.get("default")
    if "default" in spec and not fits_type(value, spec):
        check_type(name, value, spec, report, Place(spec, "default"))
    return value


def list_specs(tree: Map) -> tuple[ParameterSpec, ...]:
    """The declarations as the plan shows them; the config must be free of findings."""
    section = tree.get("parameters")
    if not isinstance(section, Map):
        return ()
    return tuple(_make_spec(name, spec) for name, spec in section.items() if isinstance(spec, Map))


def _make_spec(name: str, spec: Map) -> ParameterSpec:
    options = spec.get("enum")
    return ParameterSpec(
        name=name,
        type=str(spec["type"]),
        default=cast("Simple", spec["default"]),
        options=tuple(cast("list[Simple]", options)) if isinstance(options, Items) else (),
        description=str(spec.get("description") or ""),
    )
