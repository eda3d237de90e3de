"""`penstock group`: groups of people in an organization, whom contexts may be for."""

from typing import Annotated
from urllib.parse import quote

from cyclopts import App, Parameter

from penstock.api.penstock.payloads import PersonView
from penstock.cli.catalog import CATALOG
from penstock.cli.remote.access import IN_ORGANIZATION, InOrganization, open_client
from penstock.cli.remote.answers import Named, Told
from penstock.cli.remote.console import write_answer, write_items
from penstock.cli.remote.contexts import find_group
from penstock.cli.remote.names import find_organization

Name = Annotated[str, Parameter(name="group")]

_ENTRY = CATALOG["group"]
group = App(name="group", help=_ENTRY.help, help_epilogue=_ENTRY.epilogue)


@group.command(name="list")
def list_groups(*, access: InOrganization = IN_ORGANIZATION) -> int:
    """List the groups of an organization."""
    client = open_client(access)
    owner = find_organization(client, access.organization)
    found = client.list_circle(f"organizations/{owner.id}/groups", Named)
    return write_items(found, lambda each: [each.name, each.id, each.description], json=access.json)


@group.command
def create(name: str, /, *, description: str = "", access: InOrganization = IN_ORGANIZATION) -> int:
    """Make a group that nobody is in.

    Parameters
    ----------
    name
        Its name.
    description
        What it is for.
    """
    client = open_client(access)
    owner = find_organization(client, access.organization)
    body = {"name": name, "description": description}
    made = client.circle("POST", f"organizations/{owner.id}/groups", Named, body)
    return write_answer(made, f"{name} is made: penstock group admit {name} LOGIN", json=access.json)


@group.command
def members(named: Name, /, *, access: InOrganization = IN_ORGANIZATION) -> int:
    """List who is in a group.

    Parameters
    ----------
    named
        The group, by name or id.
    """
    client = open_client(access)
    owner = find_organization(client, access.organization)
    found = client.list_own(f"{_place(owner.id, named)}/members", PersonView)
    return write_items(found, lambda each: [each.login, each.name], json=access.json)


@group.command
def admit(named: Name, login: str, /, *, access: InOrganization = IN_ORGANIZATION) -> int:
    """Put a member of the organization into a group.

    Parameters
    ----------
    named
        The group, by name or id.
    login
        Who, by login or id.
    """
    client = open_client(access)
    owner = find_organization(client, access.organization)
    place = f"{_place(owner.id, named)}/members/{quote(login, safe='')}"
    found = client.own("PUT", place, PersonView)
    return write_answer(found, f"{found.login} is in {named}.", json=access.json)


@group.command
def dismiss(named: Name, login: str, /, *, access: InOrganization = IN_ORGANIZATION) -> int:
    """Take somebody out of a group.

    Parameters
    ----------
    named
        The group, by name or id.
    login
        Who, by login or id.
    """
    client = open_client(access)
    owner = find_organization(client, access.organization)
    client.tell("DELETE", f"{_place(owner.id, named)}/members/{quote(login, safe='')}")
    return write_answer(
        {"group": named, "login": login}, f"{login} is not in {named} any more.", json=access.json
    )


@group.command
def delete(named: Name, /, *, access: InOrganization = IN_ORGANIZATION) -> int:
    """Delete a group. Contexts that are for it stay closed to those who were in it.

    Parameters
    ----------
    named
        The group, by name or id.
    """
    client = open_client(access)
    owner = find_organization(client, access.organization)
    uuid = find_group(client, owner, named)
    client.circle("DELETE", f"organizations/{owner.id}/groups/{uuid}", Told)
    return write_answer({"id": uuid}, f"{named} is deleted.", json=access.json)


def _place(owner: str, named: str) -> str:
    return f"organizations/{owner}/groups/{quote(named, safe='')}"
