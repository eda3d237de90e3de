"""`penstock oidc`: what identity tokens of jobs say, and the keys that sign them."""

from dataclasses import dataclass
from typing import Annotated, Literal

from cyclopts import App, Parameter

from penstock.api.circleci.platform.claims_payloads import ClaimsAnswer
from penstock.api.penstock.paging import Page
from penstock.cli.catalog import CATALOG
from penstock.cli.exit import Exit
from penstock.cli.remote.access import HERE, Access, InOrganization, open_client
from penstock.cli.remote.client import Client
from penstock.cli.remote.console import write_answer, write_items, write_json, write_table
from penstock.cli.remote.names import find_organization, find_project
from penstock.kit.clock import to_datetime
from penstock.model.errors import InvalidError
from penstock.model.identity import KeyState, KnownKey

_ENTRY = CATALOG["oidc"]
oidc = App(name="oidc", help=_ENTRY.help, help_epilogue=_ENTRY.epilogue)
claims = App(name="claims", help="What an organization, or one project of it, sets about its tokens.")
oidc.command(claims)

_NAMES = ("audience", "ttl")


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)  # cyclopts knows no structs of msgspec
class InPlace(InOrganization):
    """Which server, as whom, and whose tokens."""

    project: Annotated[
        str,
        Parameter(help="Only this project's, by slug or id; they count for more than its organization's."),
    ] = ""


IN_PLACE = InPlace()


@claims.command
def show(*, access: InPlace = IN_PLACE) -> int:
    """Show what is set there."""
    client = open_client(access)
    return _write(client.circle("GET", _place(client, access), ClaimsAnswer), json=access.json)


@claims.command(name="set")
def change(
    *,
    audience: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    ttl: str = "",
    access: InPlace = IN_PLACE,
) -> int:
    """Set for whom tokens are meant, and how long they are good for.

    Parameters
    ----------
    audience
        A service that is to believe them; may be given several times.
    ttl
        How long, as in 30m, 1h30m or 2d.
    """
    body: dict[str, object] = ({"audience": audience} if audience else {}) | ({"ttl": ttl} if ttl else {})
    if not body:
        raise InvalidError("nothing is to be set: give --audience, --ttl or both")
    client = open_client(access)
    return _write(client.circle("PATCH", _place(client, access), ClaimsAnswer, body), json=access.json)


@claims.command
def unset(*names: Literal["audience", "ttl"], access: InPlace = IN_PLACE) -> int:
    """Set it no longer.

    Parameters
    ----------
    names
        `audience`, `ttl`; without any, both.
    """
    client = open_client(access)
    chosen = ",".join(names or _NAMES)
    answer = client.circle("DELETE", _place(client, access), ClaimsAnswer, claims=chosen)
    return _write(answer, json=access.json)


@oidc.command
def keys(*, access: Access = HERE) -> int:
    """List the keys by which tokens are known, in the order in which they sign."""
    found = open_client(access).list_own("signing-keys", KnownKey)
    return write_items(found, _list_cells, "KEY", "STATE", "SIGNS FROM", "KNOWN UNTIL", json=access.json)


@oidc.command
def rotate(
    *,
    now: Annotated[bool, Parameter(negative="")] = False,
    withdraw: Annotated[bool, Parameter(negative="")] = False,
    access: Access = HERE,
) -> int:
    """Let another key sign, a day from now, when all who check tokens know of it.

    Parameters
    ----------
    now
        It signs at once.
    withdraw
        The same, and all other keys are known no more, nor what they signed: for one that somebody stole.
    """
    body = {"at_once": now, "withdraw": withdraw}
    made = open_client(access).own("POST", "signing-keys", Page[KnownKey], body)
    newest = made.items[-1]
    when = "now" if newest.state is KeyState.SIGNS else f"from {_show(newest.signs_at)}"
    return write_answer(made, f"{newest.kid} signs {when}.", json=access.json)


def _place(client: Client, access: InPlace) -> str:
    """The address of what is set there."""
    if access.project:
        found = find_project(client, access.project)
        return f"org/{found.organization_id}/project/{found.id}/oidc-custom-claims"
    return f"org/{find_organization(client, access.organization).id}/oidc-custom-claims"


def _write(answer: ClaimsAnswer, *, json: bool) -> int:
    if json:
        write_json(answer)
        return Exit.SUCCESS
    audience = ", ".join(answer.audience) if answer.audience else "-"
    write_table(
        [
            ["audience", audience, answer.audience_updated_at or ""],
            ["ttl", answer.ttl or "-", answer.ttl_updated_at or ""],
        ]
    )
    return Exit.SUCCESS


def _list_cells(each: KnownKey) -> list[str]:
    return [each.kid, each.state, _show(each.signs_at), "-" if each.until is None else _show(each.until)]


def _show(instant: int) -> str:
    return to_datetime(instant).isoformat(sep=" ", timespec="minutes").removesuffix("+00:00")
