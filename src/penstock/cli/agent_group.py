"""`penstock agent-group`: groups of agents on a server, and the tokens with which agents join them."""

from typing import Annotated
from urllib.parse import quote

from cyclopts import App, Parameter

from penstock.api.penstock.payloads import GroupView, JoinTokenView, MadeJoinToken
from penstock.cli.catalog import CATALOG
from penstock.cli.remote.access import HERE, Access, open_client
from penstock.cli.remote.client import Client
from penstock.cli.remote.console import show_age, show_day, write_answer, write_items
from penstock.kit.ids import is_id
from penstock.model.errors import NotFoundError

Group = Annotated[str, Parameter(name="group")]

_ENTRY = CATALOG["agent-group"]
agent_group = App(name="agent-group", help=_ENTRY.help, help_epilogue=_ENTRY.epilogue)


@agent_group.command
def create(name: str, /, *, organization: str = "", description: str = "", access: Access = HERE) -> int:
    """Make a group of agents. The token with which agents join it is printed this once.

    Parameters
    ----------
    name
        Its name, which is also the resource class that jobs ask for.
    organization
        The organization it is for, by slug or id; without it for all.
    description
        What it is for.
    """
    body = {"name": name, "organization": organization, "description": description}
    return _show_secret(open_client(access).own("POST", "agent-groups", MadeJoinToken, body), access)


@agent_group.command(name="list")
def list_groups(*, access: Access = HERE) -> int:
    """List the groups of agents."""
    found = open_client(access).list_own("agent-groups", GroupView)
    return write_items(
        found,
        lambda each: [each.name, each.organization or "all", each.description or "-"],
        "NAME",
        "FOR",
        "DESCRIPTION",
        json=access.json,
    )


@agent_group.command
def remove(named: Group, /, *, access: Access = HERE) -> int:
    """Remove a group: its agents are not let in any more, and what they ran is run elsewhere.

    Parameters
    ----------
    named
        Its name or id.
    """
    client = open_client(access)
    uuid = _find_id(client, named)
    client.tell("DELETE", f"agent-groups/{uuid}")
    return write_answer({"id": uuid}, f"{named} is removed.", json=access.json)


@agent_group.command
def token(
    named: Group,
    label: str = "",
    /,
    *,
    revoke: str = "",
    access: Access = HERE,
) -> int:
    """Make another token with which agents join a group, or without a label list those there are.

    Parameters
    ----------
    named
        The group's name or id.
    label
        What the new token is for; it is printed this once.
    revoke
        Revoke the token of this id instead.
    """
    client = open_client(access)
    place = f"agent-groups/{_find_id(client, named)}/tokens"
    if revoke:
        client.tell("DELETE", f"{place}/{quote(revoke, safe='')}")
        return write_answer({"id": revoke}, f"{revoke} is revoked.", json=access.json)
    if label:
        return _show_secret(client.own("POST", place, MadeJoinToken, {"label": label}), access)
    found = list(client.list_own(place, JoinTokenView))
    return write_items(
        found,
        lambda each: [each.id, each.label, show_day(each.created_at), show_age(each.used_at)],
        "ID",
        "LABEL",
        "MADE",
        "LAST USED",
        json=access.json,
    )


def _show_secret(made: MadeJoinToken, access: Access) -> int:
    return write_answer(made, made.secret, json=access.json)


def _find_id(client: Client, named: str) -> str:
    if is_id(named):
        return named
    found = [each.id for each in client.list_own("agent-groups", GroupView) if each.name == named]
    if not found:
        raise NotFoundError(f"there is no group {named!r}: `penstock agent-group list` lists them")
    return found[0]
