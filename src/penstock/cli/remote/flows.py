"""Picks the workflows of a pipeline that a command is about."""

from penstock.cli.remote.names import current
from penstock.model.errors import InvalidError, NotFoundError
from penstock.model.picture import JobPicture, PipelinePicture, WorkflowPicture
from penstock.model.status import JobStatus, WorkflowStatus


def pick_workflows(picture: PipelinePicture, named: str) -> list[WorkflowPicture]:
    """The pipeline's workflows as they are now, of a name or an id only. Raises NotFoundError for none."""
    every = current(picture)
    fitting = [flow for flow in every if not named or named in {flow.name, flow.id}]
    if not fitting:
        known = ", ".join(sorted({flow.name for flow in every})) or "none"
        raise NotFoundError(f"pipeline {picture.number} has no workflow {named!r}; there are {known}")
    return fitting


def pick_approval(picture: PipelinePicture, named: str, workflow: str) -> tuple[WorkflowPicture, JobPicture]:
    """The approval of that name that waits, "" for the only one. Raises NotFoundError, InvalidError."""
    held = [
        (flow, job)
        for flow in pick_workflows(picture, workflow)
        for job in flow.jobs
        if job.status is JobStatus.ON_HOLD
    ]
    fitting = [(flow, job) for flow, job in held if not named or named in {job.name, job.key, job.id}]
    waiting = ", ".join(f"{flow.name}/{job.name}" for flow, job in held)
    if not fitting:
        which = f"no approval {named!r} waits" if named else "no approval waits"
        raise NotFoundError(f"{which} in pipeline {picture.number}{f'; there are {waiting}' if held else ''}")
    if len(fitting) > 1:
        raise InvalidError(f"several approvals wait, name one, and its workflow with --workflow: {waiting}")
    return fitting[0]


def pick_repeatable(picture: PipelinePicture, named: str) -> WorkflowPicture:
    """The workflow that is to run again: the one that is named, else the only one, or the only failed one.

    Raises NotFoundError, InvalidError when it is not clear which.
    """
    found = pick_workflows(picture, named)
    bad = [flow for flow in found if flow.status.is_terminal and flow.status is not WorkflowStatus.SUCCESS]
    for candidates in (found, bad):
        if len(candidates) == 1:
            return candidates[0]
    known = ", ".join(flow.name for flow in bad or found)
    raise InvalidError(f"which workflow? Name one with --workflow: {known}")
