"""`penstock cancel`: stops a pipeline, one of its workflows or one of its jobs."""

from penstock.cli.remote.access import IN_PROJECT, InProject, open_client
from penstock.cli.remote.answers import Told
from penstock.cli.remote.console import write_answer
from penstock.cli.remote.flows import pick_workflows
from penstock.cli.remote.names import LATEST, find_job, load_picture


def cancel(
    pipeline: str = LATEST,
    /,
    *,
    workflow: str = "",
    job: str = "",
    access: InProject = IN_PROJECT,
) -> int:
    """Stop a pipeline.

    Parameters
    ----------
    pipeline
        Its number in the project, its id, or `latest`, which is meant without it.
    workflow
        Stop only this workflow.
    job
        Stop only this job, by name or number; its workflow goes on.
    """
    client = open_client(access)
    if job:
        found = find_job(client, job, pipeline, access.project)
        client.circle("POST", f"jobs/{found.id}/cancel", Told)
        stopped, told = [found.id], f"{found.name} is asked to stop."
    else:
        picture = load_picture(client, pipeline, access.project)
        going = [each for each in pick_workflows(picture, workflow) if not each.status.is_terminal]
        for each in going:
            client.circle("POST", f"workflow/{each.id}/cancel", Told)
        stopped = [each.id for each in going]
        names = ", ".join(each.name for each in going)
        told = f"Asked to stop: {names}." if going else f"Nothing of pipeline {picture.number} runs any more."
    return write_answer({"canceled": stopped}, told, json=access.json)
