"""`penstock rerun`: runs a workflow of a pipeline again."""

from typing import Annotated, Any

from cyclopts import Parameter

from penstock.cli.remote.access import IN_PROJECT, InProject, open_client
from penstock.cli.remote.answers import Again
from penstock.cli.remote.console import write_answer
from penstock.cli.remote.flows import pick_repeatable
from penstock.cli.remote.names import LATEST, load_picture
from penstock.cli.remote.watching import TO_THE_END, Watching, watch_pipeline
from penstock.model.errors import InvalidError, NotFoundError
from penstock.model.picture import WorkflowPicture

Several = list[str]


def rerun(
    pipeline: str = LATEST,
    /,
    *,
    workflow: str = "",
    from_failed: Annotated[bool, Parameter(negative="")] = False,
    job: Annotated[Several | None, Parameter(negative="")] = None,
    watch: Annotated[bool, Parameter(negative="", alias="-w")] = False,
    watching: Watching = TO_THE_END,
    access: InProject = IN_PROJECT,
) -> int:
    """Run a workflow again.

    Parameters
    ----------
    pipeline
        Its number in the project, its id, or `latest`, which is meant without it.
    workflow
        The workflow; without it the only one, or the only one that failed.
    from_failed
        Only what failed, and what comes after it.
    job
        Only this job, and what comes after it; may be given several times.
    watch
        Show the pipeline until it ends; the exit status says how.
    """
    if from_failed and job:
        raise InvalidError("--from-failed and --job exclude each other")
    client = open_client(access)
    picture = load_picture(client, pipeline, access.project)
    flow = pick_repeatable(picture, workflow)
    body: dict[str, Any] = {"from_failed": True} if from_failed else {}
    if job:
        body["jobs"] = [_find_job(flow, each) for each in job]
    again = client.circle("POST", f"workflow/{flow.id}/rerun", Again, body)
    if watch:
        return watch_pipeline(client, picture.id, watching, json=access.json)
    return write_answer(
        {"pipeline": picture.id, "workflow": again.workflow_id},
        f"{flow.name} of pipeline {picture.number} runs again: penstock watch {picture.id}",
        json=access.json,
    )


def _find_job(flow: WorkflowPicture, named: str) -> str:
    found = [job.id for job in flow.jobs if named in {job.name, job.key, job.id, str(job.number)}]
    if not found:
        known = ", ".join(job.name for job in flow.jobs)
        raise NotFoundError(f"workflow {flow.name} has no job {named!r}; there are {known}")
    return found[0]
