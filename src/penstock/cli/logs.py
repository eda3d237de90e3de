"""`penstock logs`: what jobs printed, of a run on this machine or of a pipeline on a server."""

from typing import Annotated

from cyclopts import Parameter

from penstock.cli.remote.access import IN_PROJECT, InProject
from penstock.model.errors import InvalidError


def logs(
    job: str = "",
    /,
    *,
    run: str = "",
    step: Annotated[str, Parameter()] = "",
    headings: Annotated[bool, Parameter(negative="--no-headings")] = True,
    pipeline: str = "",
    follow: Annotated[bool, Parameter(negative="", alias="-f")] = False,
    access: InProject = IN_PROJECT,
) -> int:
    """Print what a job printed, byte for byte; without a job, what all jobs printed.

    Parameters
    ----------
    job
        The job's name; on a server also its number or id.
    run
        The run: its number in this project, or the beginning of its id; without it the newest one here.
    step
        Only steps whose name contains this.
    headings
        Put a line with job and step above each step's output when there are several.
    pipeline
        A pipeline on a server instead: its number in the project, its id, or `latest`.
    follow
        On a server, print what comes until the job ends.
    """
    if not (pipeline or follow or access.server or access.token or access.project or access.json):
        from penstock.cli.local_logs import print_run

        return print_run(job, run, step=step, headings=headings)
    if run:
        raise InvalidError("--run is of a run on this machine; on a server there is --pipeline")
    from penstock.cli.remote.output import Printing, print_pipeline

    printing = Printing(step=step, headings=headings, follow=follow, json=access.json)
    return print_pipeline(access, job, pipeline, printing)
