"""`penstock project key`: the keys that open a project's repository over ssh."""

from typing import Annotated
from urllib.parse import quote

from cyclopts import App, Parameter

from penstock.cli.exit import Exit
from penstock.cli.remote.access import IN_PROJECT, InProject, open_client
from penstock.cli.remote.answers import CheckoutKey, Items, Message
from penstock.cli.remote.console import write_answer, write_items, write_json, write_line
from penstock.cli.remote.names import find_project

key = App(name="key", help="Look after the checkout keys of a project.")


@key.command(name="list")
def list_keys(*, access: InProject = IN_PROJECT) -> int:
    """List the keys that open the repository; the preferred one is used."""
    client = open_client(access)
    place = f"project/{find_project(client, access.project).address}/checkout-key"
    found = client.circle("GET", place, Items[CheckoutKey], digest="sha256")
    return write_items(found.items, _show, json=access.json)


@key.command
def add(
    *,
    personal: Annotated[bool, Parameter(negative="")] = False,
    access: InProject = IN_PROJECT,
) -> int:
    """Make a key; its public half, which is printed, is for the git host.

    Parameters
    ----------
    personal
        One for your own account at the host, used while you belong to the organization; without it a
        deploy key of the repository.
    """
    client = open_client(access)
    place = f"project/{find_project(client, access.project).address}/checkout-key"
    made = client.circle("POST", place, CheckoutKey, {"type": "user-key" if personal else "deploy-key"})
    if access.json:
        write_json(made)
    else:
        write_line(made.public_key)
    return Exit.SUCCESS


@key.command
def remove(fingerprint: str, /, *, access: InProject = IN_PROJECT) -> int:
    """Remove a key; the newest one left is used then.

    Parameters
    ----------
    fingerprint
        Its fingerprint, either of the two kinds.
    """
    client = open_client(access)
    place = f"project/{find_project(client, access.project).address}/checkout-key"
    client.circle("DELETE", f"{place}/{quote(fingerprint, safe='')}", Message)
    return write_answer({"fingerprint": fingerprint}, "It is removed.", json=access.json)


def _show(found: CheckoutKey) -> list[str]:
    return [found.fingerprint, found.type, "preferred" if found.preferred else "", found.public_key]
