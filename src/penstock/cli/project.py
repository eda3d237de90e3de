"""`penstock project`: the projects of a server."""

from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from cyclopts import App, Parameter

from penstock.api.penstock.payloads import HookView, MadeHookSecret, ProjectView
from penstock.cli.catalog import CATALOG
from penstock.cli.exit import Exit
from penstock.cli.options import read_value, split_pairs
from penstock.cli.project_env import env
from penstock.cli.project_host import credentials, statuses
from penstock.cli.project_key import key
from penstock.cli.remote.access import HERE, Access, open_client
from penstock.cli.remote.console import (
    show_day,
    show_settings,
    write_answer,
    write_json,
    write_line,
    write_table,
)
from penstock.cli.remote.names import find_project
from penstock.forge.checkout import read_checkout
from penstock.model.errors import InvalidError

Several = list[str]

project = App(name="project", help=CATALOG["project"].help, help_epilogue=CATALOG["project"].epilogue)
project.command(env)
project.command(key)
project.command(credentials)
project.command(statuses)


@project.command
def add(
    url: str = "",
    /,
    *,
    name: str = "",
    organization: str = "",
    default_branch: str = "",
    access: Access = HERE,
) -> int:
    """Make a project of a git repository.

    Parameters
    ----------
    url
        Where it is cloned from; without it the remote of this checkout.
    name
        The project's name; without it the repository's.
    organization
        The slug of its organization, like gh/acme; without it the one the address names.
    default_branch
        The branch that is meant when none is named; without it the remote's as this checkout knows it,
        else main.
    """
    checkout = read_checkout(Path())
    here = not url or url == checkout.remote
    if not (url or checkout.remote):
        raise InvalidError("which repository? This folder is no checkout with a remote: give its address")
    body = {
        "url": url or checkout.remote,
        "name": name,
        "organization": organization,
        "default_branch": default_branch or (checkout.default_branch if here else ""),
    }
    client = open_client(access)
    made = client.own("POST", "projects", ProjectView, body)
    return write_answer(made, f"{made.slug} is made: penstock trigger {made.slug}", json=access.json)


@project.command(name="list")
def list_projects(*, organization: str = "", access: Access = HERE) -> int:
    """List projects.

    Parameters
    ----------
    organization
        Only those of this organization (a slug like gh/acme).
    """
    client = open_client(access)
    found = client.list_own("projects", ProjectView, organization=organization)
    if access.json:
        for each in found:
            write_json(each)
        return Exit.SUCCESS
    every = list(found)
    if not every:
        write_line("There are no projects yet: `penstock project add` makes one.")
    write_table([each.slug, each.default_branch, each.url] for each in every)
    return Exit.SUCCESS


@project.command
def show(named: Annotated[str, Parameter(name="project")] = "", /, *, access: Access = HERE) -> int:
    """Show a project and its settings.

    Parameters
    ----------
    named
        The project, by slug or id; without it the one this checkout is cloned from.
    """
    client = open_client(access)
    found = find_project(client, named)
    if access.json:
        write_json(found)
        return Exit.SUCCESS
    write_table(
        [
            ["project", found.slug],
            ["id", found.id],
            ["organization", found.organization],
            ["url", found.url],
            ["default branch", found.default_branch],
            ["made", show_day(found.created_at)],
            *show_settings(found.settings),
        ]
    )
    return Exit.SUCCESS


@project.command(name="set")
def change(
    named: Annotated[str, Parameter(name="project")],
    /,
    *settings: str,
    name: str = "",
    url: str = "",
    default_branch: str = "",
    access: Access = HERE,
) -> int:
    """Change a project.

    Parameters
    ----------
    named
        The project, by slug or id.
    settings
        NAME=VALUE of settings, as `penstock project show` lists them.
    name
        Its new name.
    url
        Where it is cloned from now.
    default_branch
        The branch that is meant when none is named.
    """
    values = {key: read_value(text) for key, text in split_pairs(settings, "a setting").items()}
    body = {"name": name, "url": url, "default_branch": default_branch, "settings": values}
    if not any(body.values()):
        raise InvalidError("nothing is to be changed: give NAME=VALUE of a setting, or an option")
    client = open_client(access)
    found = find_project(client, named)
    changed = client.own("PATCH", f"projects/{found.id}", ProjectView, body)
    return write_answer(changed, f"{changed.slug} is changed.", json=access.json)


@project.command
def remove(
    named: Annotated[str, Parameter(name="project")],
    /,
    *,
    yes: Annotated[bool, Parameter(negative="", alias="-y")] = False,
    access: Access = HERE,
) -> int:
    """Remove a project with all its pipelines, logs and artifacts.

    Parameters
    ----------
    named
        The project, by slug or id.
    yes
        Do so without asking again.
    """
    client = open_client(access)
    found = find_project(client, named)
    if not yes:
        raise InvalidError(f"all pipelines, logs and artifacts of {found.slug} would be gone: add --yes")
    client.tell("DELETE", f"projects/{quote(found.id, safe='')}")
    return write_answer({"id": found.id, "slug": found.slug}, f"{found.slug} is removed.", json=access.json)


@project.command
def hook(
    named: Annotated[str, Parameter(name="project")] = "",
    /,
    *,
    new: Annotated[bool, Parameter(negative="")] = False,
    rotate: Annotated[bool, Parameter(negative="")] = False,
    access: Access = HERE,
) -> int:
    """Show where a git host sends webhooks of a project, or make a secret to sign them with.

    Parameters
    ----------
    named
        The project, by slug or id; without it the one this checkout is cloned from.
    new
        Make another secret; it is printed this once.
    rotate
        Make a secret in place of all there are.
    """
    client = open_client(access)
    place = f"projects/{find_project(client, named).id}/hook"
    if new or rotate:
        made = client.own("POST", f"{place}/secrets", MadeHookSecret, {"replace": rotate})
        if access.json:
            write_json(made)
        else:
            write_table([["address", made.url], ["secret", made.secret]])
        return Exit.SUCCESS
    found = client.own("GET", place, HookView)
    if access.json:
        write_json(found)
        return Exit.SUCCESS
    secrets = [[f"secret {each.id}", f"made {show_day(each.created_at)}"] for each in found.secrets]
    write_table([["address", found.url], *secrets])
    if not secrets:
        write_line("Without a secret no webhook is heard: `penstock project hook --new` makes one.")
    return Exit.SUCCESS
