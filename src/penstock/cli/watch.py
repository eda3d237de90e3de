"""`penstock watch`: a pipeline on a server until it ends."""

from penstock.cli.remote.access import IN_PROJECT, InProject, open_client
from penstock.cli.remote.names import LATEST, find_pipeline
from penstock.cli.remote.watching import TO_THE_END, Watching, watch_pipeline


def watch(
    pipeline: str = LATEST,
    /,
    *,
    watching: Watching = TO_THE_END,
    access: InProject = IN_PROJECT,
) -> int:
    """Show a pipeline until it ends.

    Parameters
    ----------
    pipeline
        Its number in the project, its id, or `latest`, which is meant without it.
    """
    client = open_client(access)
    found = find_pipeline(client, pipeline, access.project)
    return watch_pipeline(client, found, watching, json=access.json)
