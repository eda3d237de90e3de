"""The combinations of values a matrix stands for."""

from itertools import product
from math import prod

from penstock.language.circleci.expand.frame import Frame
from penstock.language.common.scalars import show_scalar
from penstock.language.common.tree import Items, Map, Place

Values = dict[str, object]

MOST_MEMBERS = 128
"""Jobs one matrix may stand for (CircleCI config reference: matrix)."""


def list_combinations(matrix: Map, frame: Frame, place: Place) -> list[Values]:
    """Every combination that is not excluded, by parameter name.

    Names count in alphabetical order, the first one changes slowest (CircleCI config reference: matrix).
    """
    parameters = matrix.get("parameters")
    if not isinstance(parameters, Map):
        return []
    axes = {name: _fill_axis(parameters, name, frame) for name in sorted(parameters)}
    if not frame.work.budget.spend("jobs", prod(map(len, axes.values())), place):
        return []
    excluded = _list_excluded(matrix, axes, frame)
    combinations = [
        values
        for values in (dict(zip(axes, combination, strict=True)) for combination in product(*axes.values()))
        if not any(_is_excluded(values, entry) for entry in excluded)
    ]
    if len(combinations) > MOST_MEMBERS:
        message = f"The matrix stands for {len(combinations)} jobs; {MOST_MEMBERS} is the most."
        hint = "exclude combinations, or split the matrix in two"
        frame.work.report.error("matrix-too-large", message, Place(matrix), hint=hint)
    return combinations[:MOST_MEMBERS]


def name_combination(job: str, values: Values) -> str:
    """`<job>-<value>-<value>`, in the order of the parameters' names."""
    return "-".join((job, *(show_scalar(value) for value in values.values())))


def _fill_axis(parameters: Map, name: str, frame: Frame) -> list[object]:
    """The values of one parameter; a pipeline value that is absent counts as empty text."""
    written = parameters[name]
    if not isinstance(written, Items):
        return [frame.filler.fill(written, Place(parameters, name))]
    filled = [frame.filler.fill(item, Place(written, index)) for index, item in enumerate(written)]
    pairs = zip(written, filled, strict=True)
    return ["" if value is None and item is not None else value for item, value in pairs]


def _list_excluded(matrix: Map, axes: dict[str, list[object]], frame: Frame) -> list[Map]:
    excluded = frame.filler.fill(matrix.get("exclude"), Place(matrix, "exclude"))
    entries = [entry for entry in excluded if isinstance(entry, Map)] if isinstance(excluded, Items) else []
    for entry in entries:
        if unknown := [name for name in entry if name not in axes]:
            message = f"The matrix has no parameter {', '.join(unknown)}; this entry excludes nothing."
            frame.work.report.warn("matrix-exclude", message, Place(entry, unknown[0], on_key=True))
    return entries


def _is_excluded(values: Values, entry: Map) -> bool:
    return bool(entry) and all(
        name in values and show_scalar(values[name]) == show_scalar(value) for name, value in entry.items()
    )
