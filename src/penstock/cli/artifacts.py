"""`penstock artifacts`: the files that a job on a server kept."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from penstock.cli.exit import Exit
from penstock.cli.remote.access import IN_PROJECT, InProject, open_client
from penstock.cli.remote.answers import Artifact
from penstock.cli.remote.client import Client
from penstock.cli.remote.console import write_json, write_line
from penstock.cli.remote.inside import Inside
from penstock.cli.remote.names import LATEST, FoundJob, find_job, find_project
from penstock.cli.streams import complain
from penstock.model.errors import InvalidError, NotFoundError


def artifacts(
    job: str,
    /,
    *,
    pipeline: str = LATEST,
    download: Path | None = None,
    access: InProject = IN_PROJECT,
) -> int:
    """List the files that a job kept, or download them.

    Parameters
    ----------
    job
        The job: its name in the pipeline, its number in the project, or its id.
    pipeline
        The pipeline, when the job is given by name: its number, its id, or `latest`, which is meant
        without it.
    download
        The folder to write them to, made when it is missing. Files of a job with several parallel copies
        go to a folder for each, named by its number.
    """
    client = open_client(access)
    found = find_job(client, job, pipeline, access.project)
    listed = _list(client, found, access.project)
    if download is None:
        for each in listed:
            write_json(each) if access.json else write_line(_place(found, each))
        return Exit.SUCCESS
    return _download(client, found, list(listed), download, json=access.json)


def _list(client: Client, found: FoundJob, named: str) -> Iterator[Artifact]:
    if found.number is None:
        raise NotFoundError(f"{found.name} keeps no files: it does not run on an agent")
    project = find_project(client, named or found.project)
    return client.list_circle(f"project/{project.address}/{found.number}/artifacts", Artifact)


def _download(client: Client, job: FoundJob, listed: list[Artifact], folder: Path, *, json: bool) -> int:
    """Write the files below the folder and say so; those whose path leads out of it are left out."""
    status = Exit.SUCCESS
    with Inside(folder) as inside:
        for each in listed:
            source = f"/output/job/{quote(job.id)}/artifacts/{each.node_index}/{quote(each.path)}"
            try:
                written = inside.write(_place(job, each), client.connection.download(source))
            except InvalidError as error:
                complain(str(error))
                status = Exit.USAGE
                continue
            if json:
                write_json({"path": each.path, "node_index": each.node_index, "file": str(written)})
            else:
                write_line(str(written))
    return status


def _place(job: FoundJob, artifact: Artifact) -> str:
    """Its path, below the number of its parallel copy when there are several."""
    return artifact.path if job.parallelism == 1 else f"{artifact.node_index}/{artifact.path}"
