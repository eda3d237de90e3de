"""`penstock context`: the contexts of an organization, their variables, and whom they are for."""

from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from cyclopts import App, Parameter

from penstock.cli.catalog import CATALOG
from penstock.cli.context_limits import restrict, unrestrict
from penstock.cli.exit import Exit
from penstock.cli.options import read_variables
from penstock.cli.remote.access import IN_ORGANIZATION, InOrganization, open_client
from penstock.cli.remote.answers import Context, ContextVariable, Identified, Restriction, Told
from penstock.cli.remote.console import write_answer, write_items, write_json, write_line, write_table
from penstock.cli.remote.contexts import EVERYONE, find_context, name_restriction
from penstock.cli.remote.names import find_organization
from penstock.cli.remote.values import read_hidden_value
from penstock.model.errors import InvalidError

Name = Annotated[str, Parameter(name="context")]

_ENTRY = CATALOG["context"]
context = App(name="context", help=_ENTRY.help, help_epilogue=_ENTRY.epilogue)
context.command(restrict)
context.command(unrestrict)


@context.command(name="list")
def list_contexts(*, access: InOrganization = IN_ORGANIZATION) -> int:
    """List the contexts of an organization."""
    client = open_client(access)
    owner = find_organization(client, access.organization)
    found = client.list_circle("context", Context, **{"owner-id": owner.id})
    return write_items(found, lambda each: [each.name, each.id, each.created_at], json=access.json)


@context.command
def create(
    name: str,
    /,
    *,
    everyone: Annotated[bool, Parameter(negative="")] = False,
    access: InOrganization = IN_ORGANIZATION,
) -> int:
    """Make a context, for all members of its organization.

    Parameters
    ----------
    name
        What jobs call it.
    everyone
        It is for everyone, also for people who push and have no account; only administrators may say so.
    """
    client = open_client(access)
    owner = find_organization(client, access.organization)
    made = client.circle("POST", "context", Context, {"name": name, "owner": {"id": owner.id}})
    if everyone:
        body = {"restriction_type": "group", "restriction_value": EVERYONE}
        client.circle("POST", f"context/{made.id}/restrictions", Identified, body)
    return write_answer(made, f"{name} is made: penstock context set {name} NAME", json=access.json)


@context.command
def show(named: Name, /, *, access: InOrganization = IN_ORGANIZATION) -> int:
    """Show a context: whom it is for, and the names of its variables.

    Parameters
    ----------
    named
        The context, by name or id.
    """
    client = open_client(access)
    found = find_context(client, named, access.organization)
    variables = list(client.list_circle(f"{_place(found)}/environment-variable", ContextVariable))
    limits = list(client.list_circle(f"{_place(found)}/restrictions", Restriction))
    if access.json:
        write_json({"context": found, "restrictions": limits, "variables": variables})
        return Exit.SUCCESS
    write_table([["context", found.name], ["id", found.id], ["made", found.created_at]])
    write_line("")
    write_line("For:")
    write_table([f"  {each.restriction_type}", each.id, name_restriction(each)] for each in limits)
    if not any(each.restriction_type == "group" for each in limits):
        write_line("  no group, so for administrators of the organization alone")
    write_line("")
    write_line("Variables:" if variables else "It has no variables.")
    write_table([f"  {each.variable}", each.updated_at] for each in variables)
    return Exit.SUCCESS


@context.command(name="set")
def change(
    named: Name,
    variable: str = "",
    /,
    *,
    value_file: Annotated[str, Parameter(allow_leading_hyphen=True)] = "",
    env_file: str = "",
    access: InOrganization = IN_ORGANIZATION,
) -> int:
    """Set a variable of a context; its value is asked for, or read from standard input.

    Parameters
    ----------
    named
        The context, by name or id.
    variable
        The variable's name.
    value_file
        File with the value, - for standard input. A line break at its end is left out.
    env_file
        File of NAME=value lines with several variables.
    """
    if bool(variable) == bool(env_file):
        raise InvalidError("name a variable, or give --env-file with several")
    client = open_client(access)
    found = find_context(client, named, access.organization)
    values = read_variables(Path(env_file)) if env_file else {variable: read_hidden_value(value_file)}
    for name, value in values.items():
        made = client.circle("PUT", _variable(found, name), ContextVariable, {"value": value})
        write_answer(made, f"{name} is set in {found.name}.", json=access.json)
    return Exit.SUCCESS


@context.command
def unset(named: Name, variable: str, /, *, access: InOrganization = IN_ORGANIZATION) -> int:
    """Take a variable out of a context.

    Parameters
    ----------
    named
        The context, by name or id.
    variable
        The variable's name.
    """
    client = open_client(access)
    found = find_context(client, named, access.organization)
    client.circle("DELETE", _variable(found, variable), Told)
    return write_answer(
        {"context": found.id, "variable": variable},
        f"{found.name} has no {variable} any more.",
        json=access.json,
    )


@context.command
def delete(
    named: Name,
    /,
    *,
    yes: Annotated[bool, Parameter(negative="", alias="-y")] = False,
    access: InOrganization = IN_ORGANIZATION,
) -> int:
    """Delete a context with its variables. Jobs that name it do not run any more.

    Parameters
    ----------
    named
        The context, by name or id.
    yes
        Do so without asking again.
    """
    client = open_client(access)
    found = find_context(client, named, access.organization)
    if not yes:
        raise InvalidError(f"the variables of {found.name} would be gone: add --yes")
    client.circle("DELETE", _place(found), Told)
    return write_answer(found, f"{found.name} is deleted.", json=access.json)


def _place(found: Context) -> str:
    return f"context/{quote(found.id, safe='')}"


def _variable(found: Context, name: str) -> str:
    return f"{_place(found)}/environment-variable/{quote(name, safe='')}"
