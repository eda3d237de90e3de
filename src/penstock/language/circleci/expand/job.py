"""One invocation of a job: its body with everything filled in, expanded and merged."""

from collections.abc import Mapping

import msgspec

from penstock.language.circleci.expand.arguments import bind_arguments
from penstock.language.circleci.expand.executor import merge_executor, resolve_executor
from penstock.language.circleci.expand.frame import Expanded, Frame, open_frame
from penstock.language.circleci.expand.steps import expand_steps
from penstock.language.circleci.scope import Found
from penstock.language.common.tree import Map, Place

_SEPARATE = frozenset({"parameters", "description", "executor", "steps"})


class Invocation(msgspec.Struct, kw_only=True):
    """What a workflow says when it calls a job; `arguments` is the container of what is `given`."""

    given: Mapping[str, object]
    arguments: Place
    pre_steps: object = None
    post_steps: object = None


def expand_job(found: Found, call: Invocation, frame: Frame, place: Place) -> Map | None:
    """The body of the job for this call; None after a finding that leaves nothing to work with."""
    work, definition = frame.work, found.definition
    with work.report.calling("job", found.name):
        bound = bind_arguments(found, call.given, frame, place, call.arguments, expand_steps)
        if bound is None or work.report.is_spoiled(definition):
            return None
        inner = open_frame(work, found.scope, parameters=bound)
        body = _fill_body(definition, inner)
        if "executor" in definition:
            where = Place(definition, "executor")
            executor = resolve_executor(inner.filler.fill(definition["executor"], where), inner, where)
            body = merge_executor(executor, body) if executor is not None else body
        if "steps" in definition or call.pre_steps is not None or call.post_steps is not None:
            body["steps"] = _join_steps(definition, call, inner, frame)
        return body


def _fill_body(definition: Map, frame: Frame) -> Map:
    """Everything but steps and executor; `steps` keeps its place among the keys."""
    body = Map(
        ((key, None if key == "steps" else value) for key, value in definition.items() if key not in _SEPARATE
         or key == "steps"),
        definition,
    )  # fmt: skip
    body.templated = definition.templated
    filled = frame.filler.fill(body, Place(definition))
    return filled if isinstance(filled, Map) else body


def _join_steps(definition: Map, call: Invocation, inner: Frame, caller: Frame) -> Expanded:
    """The job's own steps between those of the caller, each expanded on its own side."""
    container = call.arguments.container
    steps = Expanded((), definition)
    if call.pre_steps is not None:
        steps.extend(expand_steps(call.pre_steps, caller, Place(container, "pre-steps")))
    if definition.get("steps") is not None:
        steps.extend(expand_steps(definition["steps"], inner, Place(definition, "steps")))
    if call.post_steps is not None:
        steps.extend(expand_steps(call.post_steps, caller, Place(container, "post-steps")))
    return steps
