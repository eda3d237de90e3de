"""`penstock approve`: lets an approval of a pipeline pass."""

from penstock.cli.remote.access import IN_PROJECT, InProject, open_client
from penstock.cli.remote.answers import Told
from penstock.cli.remote.console import write_answer
from penstock.cli.remote.flows import pick_approval
from penstock.cli.remote.names import LATEST, load_picture


def approve(
    approval: str = "",
    /,
    *,
    pipeline: str = LATEST,
    workflow: str = "",
    access: InProject = IN_PROJECT,
) -> int:
    """Let an approval pass.

    Parameters
    ----------
    approval
        Its name; without it the only one that waits.
    pipeline
        The pipeline: its number in the project, its id, or `latest`, which is meant without it.
    workflow
        The workflow, when several have an approval of that name.
    """
    client = open_client(access)
    picture = load_picture(client, pipeline, access.project)
    flow, job = pick_approval(picture, approval, workflow)
    client.circle("POST", f"workflow/{flow.id}/approve/{job.id}", Told)
    return write_answer(
        {"pipeline": picture.id, "workflow": flow.id, "job": job.id, "name": job.name},
        f"{job.name} of pipeline {picture.number} is approved.",
        json=access.json,
    )
