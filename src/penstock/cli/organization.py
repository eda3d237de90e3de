"""`penstock organization`: the organizations of a server, and who belongs to them."""

from typing import Annotated
from urllib.parse import quote

from cyclopts import App, Parameter

from penstock.api.penstock.payloads import MemberView, OrganizationView
from penstock.cli.catalog import CATALOG
from penstock.cli.exit import Exit
from penstock.cli.options import read_value, split_pairs
from penstock.cli.remote.access import HERE, Access, open_client
from penstock.cli.remote.console import show_settings, write_answer, write_items, write_json, write_table
from penstock.model.access import Role
from penstock.model.errors import InvalidError

organization = App(
    name="organization",
    help=CATALOG["organization"].help,
    help_epilogue=CATALOG["organization"].epilogue,
)


@organization.command(name="list")
def list_organizations(*, access: Access = HERE) -> int:
    """List organizations, and what you are there."""
    found = open_client(access).list_own("organizations", OrganizationView)
    return write_items(
        found, lambda each: [each.slug, each.role.value if each.role else "", each.name], json=access.json
    )


@organization.command
def add(slug: str = "", /, *, name: str = "", access: Access = HERE) -> int:
    """Make an organization, which is yours.

    Parameters
    ----------
    slug
        What it is called on a git host, like gh/acme.
    name
        What it is called when it is on none.
    """
    made = open_client(access).own("POST", "organizations", OrganizationView, {"slug": slug, "name": name})
    return write_answer(made, f"{made.slug} is made.", json=access.json)


@organization.command
def show(slug: str, /, *, access: Access = HERE) -> int:
    """Show an organization and its settings.

    Parameters
    ----------
    slug
        The organization, by slug or id.
    """
    found = open_client(access).own("GET", _place(slug), OrganizationView)
    if access.json:
        write_json(found)
        return Exit.SUCCESS
    write_table(
        [
            ["organization", found.slug],
            ["id", found.id],
            ["name", found.name],
            ["you are", found.role.value if found.role else "-"],
            *show_settings(found.settings),
        ]
    )
    return Exit.SUCCESS


@organization.command(name="set")
def change(slug: str, /, *settings: str, name: str = "", access: Access = HERE) -> int:
    """Change an organization.

    Parameters
    ----------
    slug
        The organization, by slug or id.
    settings
        NAME=VALUE of settings, as `penstock organization show` lists them.
    name
        Its new name.
    """
    values = {key: read_value(text) for key, text in split_pairs(settings, "a setting").items()}
    if not (name or values):
        raise InvalidError("nothing is to be changed: give NAME=VALUE of a setting, or --name")
    body = {"name": name, "settings": values}
    changed = open_client(access).own("PATCH", _place(slug), OrganizationView, body)
    return write_answer(changed, f"{changed.slug} is changed.", json=access.json)


@organization.command
def remove(
    slug: str,
    /,
    *,
    yes: Annotated[bool, Parameter(negative="", alias="-y")] = False,
    access: Access = HERE,
) -> int:
    """Remove an organization with all its projects, their pipelines, logs and artifacts.

    Parameters
    ----------
    slug
        The organization, by slug or id.
    yes
        Do so without asking again.
    """
    client = open_client(access)
    found = client.own("GET", _place(slug), OrganizationView)
    if not yes:
        raise InvalidError(f"all projects of {found.slug} would be gone: add --yes")
    client.tell("DELETE", _place(found.id))
    return write_answer(found, f"{found.slug} is removed.", json=access.json)


@organization.command
def members(slug: str, /, *, access: Access = HERE) -> int:
    """List who belongs to an organization.

    Parameters
    ----------
    slug
        The organization, by slug or id.
    """
    found = open_client(access).list_own(f"{_place(slug)}/members", MemberView)
    return write_items(found, lambda each: [each.login, each.role.value, each.name], json=access.json)


@organization.command
def admit(slug: str, login: str, role: Role = Role.MEMBER, /, *, access: Access = HERE) -> int:
    """Give somebody a role in an organization.

    Parameters
    ----------
    slug
        The organization, by slug or id.
    login
        Who, by login or id.
    role
        What they are from now on.
    """
    place = f"{_place(slug)}/members/{quote(login, safe='')}"
    found = open_client(access).own("PUT", place, MemberView, {"role": role})
    return write_answer(found, f"{found.login} is {found.role.value} of {slug}.", json=access.json)


@organization.command
def dismiss(slug: str, login: str, /, *, access: Access = HERE) -> int:
    """Take somebody out of an organization; everybody may leave.

    Parameters
    ----------
    slug
        The organization, by slug or id.
    login
        Who, by login or id.
    """
    open_client(access).tell("DELETE", f"{_place(slug)}/members/{quote(login, safe='')}")
    return write_answer(
        {"organization": slug, "login": login},
        f"{login} does not belong to {slug} any more.",
        json=access.json,
    )


def _place(slug: str) -> str:
    return f"organizations/{quote(slug, safe='')}"
