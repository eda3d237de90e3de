"""Finds contexts and groups of people by their names, and says what a restriction is to."""

from penstock.api.penstock.payloads import OrganizationView
from penstock.cli.remote.answers import Context, Identified, Named, Restriction
from penstock.cli.remote.client import Client
from penstock.cli.remote.names import find_organization
from penstock.kit.ids import is_id
from penstock.model.errors import NotFoundError

EVERYONE = "00000000-0000-0000-0000-000000000000"
"""The group everybody is in."""


def find_context(client: Client, named: str, organization: str) -> Context:
    """The context of that id, or of that name in the organization. Raises NotFoundError."""
    if is_id(named):
        return client.circle("GET", f"context/{named}", Context)
    owner = find_organization(client, organization)
    every = client.list_circle("context", Context, **{"owner-id": owner.id})
    for each in every:
        if each.name == named:
            return each
    raise NotFoundError(f"{owner.slug} has no context {named!r}: `penstock context list` has all")


def find_group(client: Client, owner: OrganizationView, named: str) -> str:
    """The id of the organization's group of that id or name. Raises NotFoundError."""
    place = f"organizations/{owner.id}/groups"
    if is_id(named):
        return client.circle("GET", f"{place}/{named}", Identified).id
    for each in client.list_circle(place, Named):
        if each.name == named:
            return each.id
    raise NotFoundError(f"{owner.slug} has no group {named!r}: `penstock group list` has all")


def name_restriction(restriction: Restriction) -> str:
    """What the restriction is to, for people."""
    if restriction.name:
        return restriction.name
    gone = "" if restriction.restriction_type == "expression" else " (which is gone)"
    return f"{restriction.restriction_value}{gone}"
