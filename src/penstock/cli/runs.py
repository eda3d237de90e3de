"""`penstock runs`: past runs on this machine, or pipelines of a project on a server."""

from typing import Annotated

from cyclopts import Parameter

from penstock.cli.remote.access import IN_PROJECT, InProject
from penstock.model.errors import InvalidError

MOST_RUNS = 1_000_000


def runs(
    *,
    everywhere: Annotated[bool, Parameter(negative="", alias="-a")] = False,
    limit: Annotated[int, Parameter(show_default=True)] = 20,
    branch: str = "",
    remote: Annotated[bool, Parameter(negative="", alias="-r")] = False,
    access: InProject = IN_PROJECT,
) -> int:
    """List past runs of this project, newest first.

    Parameters
    ----------
    everywhere
        The runs of all projects on this machine.
    limit
        How many at most.
    branch
        Only pipelines of this branch on the server.
    remote
        The pipelines on the server you are logged in to; so do --project, --branch, --server and --token.
    """
    if not 1 <= limit <= MOST_RUNS:
        raise InvalidError(f"--limit must be between 1 and {MOST_RUNS}")
    if remote or branch or access.project or access.server or access.token:
        if everywhere:
            raise InvalidError("--everywhere is about this machine; on a server there is --project")
        from penstock.cli.remote.pipelines import print_pipelines

        return print_pipelines(access, branch, limit)
    from penstock.cli.local_runs import print_runs

    return print_runs(limit, everywhere=everywhere, json=access.json)
