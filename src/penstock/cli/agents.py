"""`penstock agent list` and what else is asked of a server about its agents."""

from typing import Annotated

from cyclopts import Parameter

from penstock.api.penstock.payloads import AgentView
from penstock.cli.remote.access import HERE, Access, open_client
from penstock.cli.remote.client import Client
from penstock.cli.remote.console import show_age, write_answer, write_items
from penstock.kit.ids import is_id
from penstock.model.errors import InvalidError, NotFoundError

Named = Annotated[str, Parameter(name="agent")]


def list_agent(*, access: Access = HERE) -> int:
    """List the agents of a server, and what they run."""
    found = open_client(access).list_own("agents", AgentView)
    heading = ("NAME", "GROUP", "STATE", "BUSY", "LAST SEEN", "LABELS", "RUNS")
    return write_items(found, _list_cells, *heading, json=access.json)


def _list_cells(each: AgentView) -> list[str]:
    return [
        each.name,
        each.group or "-",
        each.state.value,
        f"{each.busy}/{each.slots}",
        show_age(each.seen_at),
        ",".join(each.labels) or "-",
        ", ".join(f"{job.project}#{job.pipeline} {job.name}" for job in each.jobs) or "-",
    ]


def disable_agent(named: Named, /, *, access: Access = HERE) -> int:
    """Let an agent end what it runs, and give it nothing new.

    Parameters
    ----------
    named
        Its name or id.
    """
    return _tell(access, "POST", named, "/disable", "gets nothing new")


def enable_agent(named: Named, /, *, access: Access = HERE) -> int:
    """Let an agent that was disabled run jobs again.

    Parameters
    ----------
    named
        Its name or id.
    """
    return _tell(access, "POST", named, "/enable", "gets jobs again")


def remove_agent(named: Named, /, *, access: Access = HERE) -> int:
    """Remove an agent: it is not let in any more, and what it ran is run elsewhere.

    Parameters
    ----------
    named
        Its name or id.
    """
    return _tell(access, "DELETE", named, "", "is removed")


def _tell(access: Access, method: str, named: str, path: str, done: str) -> int:
    client = open_client(access)
    uuid = named if is_id(named) else _find_id(client, named)
    client.tell(method, f"agents/{uuid}{path}")
    return write_answer({"id": uuid}, f"{named} {done}.", json=access.json)


def _find_id(client: Client, name: str) -> str:
    fitting = [each.id for each in client.list_own("agents", AgentView) if each.name == name]
    if not fitting:
        raise NotFoundError(f"there is no agent {name!r}: `penstock agent list` lists them")
    if len(fitting) > 1:
        raise InvalidError(f"several agents are called {name!r}, give the id: {', '.join(fitting)}")
    return fitting[0]
