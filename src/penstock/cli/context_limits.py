"""`penstock context restrict` and `unrestrict`: whom a context is for."""

from typing import Annotated
from urllib.parse import quote

from cyclopts import Parameter

from penstock.api.penstock.payloads import OrganizationView
from penstock.cli.remote.access import IN_ORGANIZATION, InOrganization, open_client
from penstock.cli.remote.answers import Restriction, Told
from penstock.cli.remote.client import Client
from penstock.cli.remote.console import write_answer
from penstock.cli.remote.contexts import EVERYONE, find_context, find_group, name_restriction
from penstock.cli.remote.names import find_organization, find_project
from penstock.model.errors import InvalidError, NotFoundError

Name = Annotated[str, Parameter(name="context")]
Switch = Annotated[bool, Parameter(negative="")]


def restrict(
    named: Name,
    /,
    *,
    project: str = "",
    group: str = "",
    rule: str = "",
    members: Switch = False,
    everyone: Switch = False,
    access: InOrganization = IN_ORGANIZATION,
) -> int:
    """Restrict a context: to a project, to a group of people, or by a rule.

    Of each kind one is enough, and all kinds must let a job pass.

    Parameters
    ----------
    named
        The context, by name or id.
    project
        To this project, by slug or id.
    group
        To this group of people, by name or id.
    rule
        By an expression over pipeline values, like 'pipeline.git.branch == "main"'.
    members
        To all members of the organization.
    everyone
        To everyone, also to people without an account.
    """
    client = open_client(access)
    found = find_context(client, named, access.organization)
    owner = find_organization(client, access.organization)
    kind, value = _choose(client, owner, (project, group, rule), members=members, everyone=everyone)
    body = {"restriction_type": kind, "restriction_value": value}
    made = client.circle("POST", f"context/{quote(found.id)}/restrictions", Restriction, body)
    return write_answer(
        made, f"{found.name} is restricted to {kind} {name_restriction(made)}.", json=access.json
    )


def unrestrict(  # noqa: PLR0913 - the same
    named: Name,
    restriction: str = "",
    /,
    *,
    project: str = "",
    group: str = "",
    rule: str = "",
    members: Switch = False,
    everyone: Switch = False,
    access: InOrganization = IN_ORGANIZATION,
) -> int:
    """Take a restriction from a context. One that is for no group is for administrators alone.

    Parameters
    ----------
    named
        The context, by name or id.
    restriction
        The restriction, by its id; else one of the options says which.
    project
        That to this project, by slug or id.
    group
        That to this group of people, by name or id.
    rule
        That by this expression.
    members
        That to all members of the organization.
    everyone
        That to everyone.
    """
    client = open_client(access)
    found = find_context(client, named, access.organization)
    place = f"context/{quote(found.id)}/restrictions"
    if not restriction:
        owner = find_organization(client, access.organization)
        wanted = _choose(client, owner, (project, group, rule), members=members, everyone=everyone)
        every = client.list_circle(place, Restriction)
        fitting = [each.id for each in every if (each.restriction_type, each.restriction_value) == wanted]
        if not fitting:
            way_out = f"`penstock context show {found.name}` says to what"
            raise NotFoundError(f"{found.name} is not restricted to that: {way_out}")
        [restriction] = fitting
    client.circle("DELETE", f"{place}/{quote(restriction, safe='')}", Told)
    return write_answer(
        {"context": found.id, "restriction": restriction},
        f"{found.name} is not restricted to that any more.",
        json=access.json,
    )


def _choose(
    client: Client, owner: OrganizationView, named: tuple[str, str, str], *, members: bool, everyone: bool
) -> tuple[str, str]:
    """The kind and value of the one restriction that the options name. Raises InvalidError."""
    project, group, rule = named
    if sum(map(bool, (*named, members, everyone))) != 1:
        raise InvalidError("give one of --project, --group, --rule, --members and --everyone")
    if project:
        return "project", find_project(client, project).id
    if rule:
        return "expression", rule
    return "group", find_group(client, owner, group) if group else owner.id if members else EVERYONE
