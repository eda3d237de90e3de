"""Lists of steps: commands replaced by their steps, conditions decided, templates filled."""

from penstock.language.circleci.condition import hold_condition
from penstock.language.circleci.expand.arguments import bind_arguments
from penstock.language.circleci.expand.frame import Expanded, Frame, open_frame
from penstock.language.circleci.schema import BARE_STEPS, BUILTIN_STEPS
from penstock.language.circleci.scope import Found, Unavailable
from penstock.language.common.diagnostic import suggest_name
from penstock.language.common.shape import name_type
from penstock.language.common.tree import Items, Map, Place, Unresolved


def expand_steps(value: object, frame: Frame, place: Place) -> Expanded:
    """The built-in steps a list of steps comes down to; what is wrong in it is reported and left out."""
    if isinstance(value, str):
        value = frame.filler.fill(value, place)
    if isinstance(value, Expanded):
        return value
    result = Expanded((), value if isinstance(value, Items) else None)
    if not isinstance(value, Items):
        if value is not None and not isinstance(value, Unresolved):
            message = f"[{place.find_pointer()}] expected type: Sequence, found: {name_type(value)}"
            frame.work.report.error("wrong-type", message, place, hint="give a list of steps")
        return result
    if not frame.work.enter_steps(place):
        return result
    for index, item in enumerate(value):
        _expand_item(item, frame, Place(value, index), result)
    frame.work.leave_steps()
    return result


def _expand_item(item: object, frame: Frame, place: Place, result: Expanded) -> None:
    if isinstance(item, str) and "<<" in item:
        item = frame.filler.fill(item, place)
        if isinstance(item, Items):
            _append_steps(expand_steps(item, frame, place), frame, place, result)
            return
    if isinstance(item, str):
        if not isinstance(item, Unresolved):
            _expand_call(item, None, item, frame, place, result)
    elif isinstance(item, Map) and len(item) == 1:
        for name, body in item.items():
            _expand_call(name, body, item, frame, place, result)


def _expand_call(
    name: str, body: object, step: str | Map, frame: Frame, place: Place, result: Expanded
) -> None:
    """One step by its name: a command of this scope, else a built-in one."""
    found = frame.scope.find("commands", name)
    if isinstance(found, Found):
        _append_steps(_expand_command(found, body, step, frame, place), frame, place, result)
    elif isinstance(found, Unavailable):
        return
    elif name in {"when", "unless"} and isinstance(body, Map):
        held = hold_condition(body.get("condition"), frame.filler, Place(body, "condition"))
        if held is (name == "when"):
            steps = expand_steps(body.get("steps"), frame, Place(body, "steps"))
            _append_steps(steps, frame, place, result)
    elif name == "steps" and body is not None:
        inner = Place(step, name) if isinstance(step, Map) else place
        _append_steps(expand_steps(body, frame, inner), frame, place, result)
    elif name in BUILTIN_STEPS:
        _append_builtin(name, step, frame, place, result)
    else:
        report_missing("command", name, frame, place)


def _append_steps(steps: Expanded, frame: Frame, place: Place, result: Expanded) -> None:
    if frame.work.budget.spend("steps", len(steps), place):
        result.extend(steps)


def _append_builtin(name: str, step: str | Map, frame: Frame, place: Place, result: Expanded) -> None:
    if isinstance(step, str):
        if name not in BARE_STEPS:
            message = f"[{place.find_pointer()}] Input not a valid enum value"
            hint = f"'{name}' needs arguments; steps without arguments can be called as strings"
            frame.work.report.error("step-needs-arguments", message, place, hint=hint)
            return
        result.append(step)
        return
    filled = frame.filler.fill(step, place)
    command = filled.get(name) if isinstance(filled, Map) and name in {"run", "deploy"} else None
    if isinstance(command, str | int | float):
        filled = Map([(name, Map([("command", command)], step))], step)
    result.append(filled)


def _expand_command(found: Found, body: object, step: str | Map, frame: Frame, place: Place) -> Expanded:
    """The steps of a command, called with the arguments in `body`."""
    work, definition = frame.work, found.definition
    given = body if isinstance(body, Map) else Map((), step if isinstance(step, Map) else None)
    if not given and (known := work.commands.get(id(definition))) is not None:
        return known
    if id(definition) in frame.stack:
        message = f"Command '{found.name}' calls itself."
        work.report.error(
            "recursive-command", message, place, hint="a command cannot be part of its own steps"
        )
        return Expanded(())
    with work.report.calling("command", found.name):
        if body is not None and not isinstance(body, Map):
            message = f"[{place.find_pointer()}] arguments of a command are a map of names and values"
            work.report.error("wrong-type", message, place, hint=f"write '{found.name}: {{name: value}}'")
            return Expanded(())
        bound = bind_arguments(found, given, frame, place, Place(given), expand_steps)
        if bound is None or work.report.is_spoiled(definition):
            return Expanded(())
        stack = (*frame.stack, id(definition))
        inner = open_frame(work, found.scope, parameters=bound, stack=stack)
        steps = expand_steps(definition.get("steps"), inner, Place(definition, "steps"))
    if not given:
        work.commands[id(definition)] = steps
    return steps


def report_missing(kind: str, name: str, frame: Frame, place: Place) -> None:
    """The finding for a name that is defined nowhere, in the vendor's words."""
    alias, slash, _ = name.partition("/")
    kinds = f"{kind}s"
    if slash and alias not in frame.scope.orbs:
        hint = suggest_name(alias, frame.scope.orbs) or "import it under 'orbs:'"
        frame.scope.orbs[alias] = Unavailable()  # its other elements need not be reported as well
        message = f"Cannot find orb '{alias}' looking for {kind} named '{name}'"
        frame.work.report.error("unknown-orb", message, place, hint=hint)
        return
    known = frame.scope.list_names(kinds)
    if kind == "command":
        known += sorted(BUILTIN_STEPS)
    message = f"Cannot find a definition for {kind} named {name}"
    hint = suggest_name(name, known) or f"define it under '{kinds}:'"
    frame.work.report.error(f"unknown-{kind}", message, place, hint=hint)
