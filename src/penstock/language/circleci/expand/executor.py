"""Executors: looked up by name, called with arguments, merged into a job."""

from penstock.language.circleci.expand.arguments import bind_arguments
from penstock.language.circleci.expand.frame import Frame, open_frame
from penstock.language.circleci.expand.steps import expand_steps, report_missing
from penstock.language.circleci.schema import EXECUTOR_KEYS
from penstock.language.circleci.scope import ExecutorCall, ExecutorName, Found, Scope, Unavailable
from penstock.language.common.tree import Items, Map, Place, Unresolved

TYPES = ("docker", "machine", "macos", "windows")


def resolve_executor(value: object, frame: Frame, place: Place) -> Map | None:
    """The body of the executor a job names, filled in; None after a finding.

    `value` is a name, or a map of `name` and arguments; one that came as an argument is looked up in the
    scope of whoever gave it.
    """
    if isinstance(value, Unresolved):
        return None
    call = value if isinstance(value, Map) else Map((), place.container)
    name = call.get("name") if isinstance(value, Map) else value
    if not isinstance(name, str):
        message = f"[{place.find_pointer()}] an executor is a name, or a map with 'name' and arguments"
        frame.work.report.error("wrong-type", message, place, hint="for example 'executor: {name: x}'")
        return None
    caller = _enter_scope(_find_scope(value, name), frame)
    found = caller.scope.find("executors", name)
    if not isinstance(found, Found):
        if not isinstance(found, Unavailable):
            report_missing("executor", name, caller, place)
        return None
    if frame.work.report.is_spoiled(found.definition):
        return None
    return _call_executor(found, call, caller, place)


def _find_scope(value: object, name: object) -> Scope | None:
    for part in (name, value):
        if isinstance(part, ExecutorName | ExecutorCall):
            return part.scope
    return None


def _enter_scope(scope: Scope | None, frame: Frame) -> Frame:
    return (
        frame
        if scope is None or scope is frame.scope
        else Frame(frame.work, scope, frame.filler, frame.stack)
    )


def _call_executor(found: Found, call: Map, frame: Frame, place: Place) -> Map | None:
    given = {key: value for key, value in call.items() if key != "name"}
    bound = bind_arguments(found, given, frame, place, Place(call), expand_steps)
    if bound is None:
        return None
    inner = open_frame(frame.work, found.scope, parameters=bound)
    body = Map(
        ((key, value) for key, value in found.definition.items() if key in EXECUTOR_KEYS), found.definition
    )
    body.templated = found.definition.templated
    filled = inner.filler.fill(body, place)
    return filled if isinstance(filled, Map) else None


def merge_executor(executor: Map, job: Map) -> Map:
    """A job with its executor's keys before its own, which win.

    `environment` is merged key by key. A job with a type of its own keeps only the rest of the executor
    (CircleCI docs: overriding keys when invoking an executor).
    """
    merged = Map((), job)
    own_type = any(kind in job for kind in TYPES)
    for key, value in executor.items():
        if not (own_type and key in TYPES):
            merged[key] = value
    for key, value in job.items():
        if key == "environment" and key in merged:
            value = Map(  # noqa: PLW2901 - the merged value takes the place of the job's
                {**list_environment(merged[key]), **list_environment(value)}.items(),
                value if isinstance(value, Map | Items) else None,
            )
        merged[key] = value
    return merged


def list_environment(value: object) -> dict[str, object]:
    """Variables by name, from a map or a list of maps."""
    if isinstance(value, Map):
        return dict(value)
    merged: dict[str, object] = {}
    if isinstance(value, Items):
        for part in value:
            if isinstance(part, Map):
                merged |= part
    return merged
