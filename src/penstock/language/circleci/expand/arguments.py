"""Arguments of a call, bound to the parameters of what is called."""

from collections.abc import Callable, Mapping

from penstock.language.circleci.expand.frame import Expanded, Frame, open_frame
from penstock.language.circleci.parameters import check_names, check_type
from penstock.language.circleci.scope import Found, attach_scope
from penstock.language.common.tree import Items, Map, Place

ExpandSteps = Callable[[object, Frame, Place], Expanded]


def bind_arguments(
    found: Found,
    given: Mapping[str, object],
    frame: Frame,
    place: Place,
    arguments: Place,
    expand: ExpandSteps,
) -> dict[str, object] | None:
    """The value of every parameter, typed; None after a finding.

    Arguments are filled in, steps expanded and executors looked up where they are written: the caller's
    side for what is given, the definition's for defaults. `arguments` is the container of the given.
    """
    declared = found.definition.get("parameters")
    specs = declared if isinstance(declared, Map) else Map(())
    if not specs and not given:
        return {}
    if not check_names(specs, given, frame.work.report, place, arguments):
        return None
    bound: dict[str, object] = {}
    right = True
    home: Frame | None = None
    for name, spec in specs.items():
        if not isinstance(spec, Map):
            continue
        if name in given:
            where = Place(arguments.container, name)
            bound[name] = _fill_argument(given[name], spec, frame, where, expand)
            right &= check_type(name, bound[name], spec, frame.work.report, where)
        else:
            home = home or open_frame(frame.work, found.scope, stack=frame.stack)
            where = Place(spec, "default")
            bound[name] = _fill_argument(spec["default"], spec, home, where, expand)
            right &= check_type(name, bound[name], spec, frame.work.report, where)
    return bound if right else None


def _fill_argument(value: object, spec: Map, frame: Frame, place: Place, expand: ExpandSteps) -> object:
    match spec.get("type"):
        case "steps":
            steps = frame.filler.fill(value, place) if isinstance(value, str) else value
            return expand(steps, frame, place) if isinstance(steps, Items) else steps
        case "executor":
            return attach_scope(frame.filler.fill(value, place), frame.scope)
        case "string" if isinstance(value, str):
            filled = frame.filler.fill(value, place)
            return "" if filled is None else filled  # a pipeline value that is absent, such as the tag
        case _:
            return frame.filler.fill(value, place)
