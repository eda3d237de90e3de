"""`penstock project env`: the environment variables of a project, whose values go in and never come out."""

from typing import Annotated
from urllib.parse import quote

from cyclopts import App, Parameter

from penstock.cli.remote.access import IN_PROJECT, InProject, open_client
from penstock.cli.remote.answers import Message, Variable
from penstock.cli.remote.console import write_answer, write_items
from penstock.cli.remote.names import find_project
from penstock.cli.remote.values import read_hidden_value

env = App(name="env", help="Look after the environment variables of a project.")


@env.command(name="list")
def list_variables(*, access: InProject = IN_PROJECT) -> int:
    """List variables; of a value its last four characters are shown at most."""
    client = open_client(access)
    place = f"project/{find_project(client, access.project).address}/envvar"
    found = client.list_circle(place, Variable)
    return write_items(found, lambda each: [each.name, each.value], json=access.json)


@env.command(name="set")
def change(
    name: str,
    /,
    *,
    value_file: Annotated[str, Parameter(allow_leading_hyphen=True)] = "",
    access: InProject = IN_PROJECT,
) -> int:
    """Set a variable; its value is asked for, or read from standard input.

    Parameters
    ----------
    name
        The variable's name.
    value_file
        File with the value, - for standard input. A line break at its end is left out.
    """
    client = open_client(access)
    found = find_project(client, access.project)
    value = read_hidden_value(value_file)
    body = {"name": name, "value": value}
    made = client.circle("POST", f"project/{found.address}/envvar", Variable, body)
    return write_answer(made, f"{made.name} is set for {found.slug}.", json=access.json)


@env.command
def unset(name: str, /, *, access: InProject = IN_PROJECT) -> int:
    """Take a variable away.

    Parameters
    ----------
    name
        The variable's name.
    """
    client = open_client(access)
    found = find_project(client, access.project)
    client.circle("DELETE", f"project/{found.address}/envvar/{quote(name, safe='')}", Message)
    return write_answer({"name": name}, f"{found.slug} has no {name} any more.", json=access.json)
