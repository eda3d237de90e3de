"""persist_to_workspace and attach_workspace: files jobs of one workflow hand on."""

import os.path
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import PurePosixPath

from penstock.agent.context import Result, StepContext
from penstock.agent.executor.base import Kind, Member
from penstock.agent.steps.transfer import format_size, upload_archive, with_archive
from penstock.agent.transport import BlobKind
from penstock.model.errors import RefusedError
from penstock.plan.step import AttachWorkspace, PersistToWorkspace
from penstock.wire.messages import Layer


def persist_to_workspace(step: PersistToWorkspace, context: StepContext) -> Result:
    """Keep what matches below the root as one layer. Nothing that matches is a failure."""
    root = context.resolve(step.root)
    if context.place.find_kind(root) is not Kind.FOLDER:
        raise RefusedError(f"the workspace root {root} is not a directory")
    members = find_members(root, step.paths, context)
    if not members:
        raise RefusedError(f"The specified paths did not match any files in {root}")
    blob, size = upload_archive(context, BlobKind.LAYER, lambda: context.place.pack(members))
    context.task.reporter.layer(size, blob)
    context.log.say(f"Workspace layer stored ({format_size(size)})")
    return Result()


def find_members(root: str, patterns: tuple[str, ...], context: StepContext) -> list[Member]:
    """What matches Go-like globs below the root, each name once."""
    names: dict[str, None] = {}
    for pattern in patterns:
        relative = os.path.relpath(context.place.resolve(pattern, root), root)
        if relative.startswith(".."):
            raise RefusedError(f"{pattern} leads out of the workspace root {root}")
        found = context.place.match(root, "*" if relative == "." else relative)
        if not found:
            context.log.say(f"Warning: {pattern} matches nothing in {root}")
        names |= dict.fromkeys(found)
    return [Member(name=name, path=f"{root}/{name}") for name in names]


def attach_workspace(step: AttachWorkspace, context: StepContext) -> Result:
    """Lay all layers into the folder, in graph order; a later job's files replace those of an earlier.

    A file of two jobs that ran side by side is a failure (CircleCI docs: using workspaces).
    """
    at = context.resolve(step.at)
    context.place.make_folder(at)
    layers = context.task.assignment.layers
    if not layers:
        context.log.say("No workspace layers were found: no upstream job has persisted anything")
    writers: dict[str, Layer] = {}
    lineage = Lineage(layers)

    def accept(layer: Layer, name: str) -> None:
        path = str(PurePosixPath(name))
        before = writers.get(path, layer)
        if lineage.are_concurrent(before, layer):
            both = f"{name_owner(before)} and {name_owner(layer)}"
            raise RefusedError(f"Concurrent upstream jobs persisted the same file(s): {path} by {both}")
        writers[path] = layer

    for layer in layers:
        _attach(layer, at, context, partial(accept, layer))
        context.log.say(f"Attached what {name_owner(layer)} persisted")
    return Result()


def _attach(layer: Layer, at: str, context: StepContext, accept: Callable[[str], None]) -> None:
    with_archive(context, layer.blob, lambda tar: context.place.unpack(tar, {"": at}, accept))


class Lineage:
    """Which jobs came before which, from layers in graph order; a bit for each job."""

    def __init__(self, layers: Iterable[Layer]) -> None:
        self._bits: dict[str, int] = {}
        self._before: dict[str, int] = {}
        for layer in layers:
            self._bits.setdefault(layer.job, 1 << len(self._bits))
            before = 0
            for job in layer.after:
                before |= self._bits.get(job, 0) | self._before.get(job, 0)
            self._before[layer.job] = before

    def are_concurrent(self, one: Layer, other: Layer) -> bool:
        """True when the layers are of copies or jobs that ran side by side."""
        if one.job == other.job:
            return one.index != other.index
        one_first = self._before[other.job] & self._bits[one.job]
        return not one_first and not self._before[one.job] & self._bits[other.job]


def name_owner(layer: Layer) -> str:
    """The job, and which copy of it when that is not the first."""
    return f"{layer.job} (copy {layer.index})" if layer.index else layer.job
