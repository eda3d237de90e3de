"""`penstock token`: tokens of one's account on a server."""

from typing import Annotated

from cyclopts import App, Parameter

from penstock.api.penstock.payloads import MadeToken, TokenView
from penstock.cli.catalog import CATALOG
from penstock.cli.options import read_limit
from penstock.cli.remote.access import HERE, Access, open_client
from penstock.cli.remote.client import Client
from penstock.cli.remote.console import show_age, show_day, write_answer, write_items
from penstock.kit.clock import SystemClock
from penstock.kit.ids import is_id
from penstock.model.access import Scope
from penstock.model.errors import InvalidError, NotFoundError

Scopes = list[Scope]

token = App(name="token", help=CATALOG["token"].help, help_epilogue=CATALOG["token"].epilogue)


@token.command
def create(
    label: str,
    /,
    *,
    scope: Annotated[Scopes | None, Parameter(negative="")] = None,
    project: str = "",
    organization: str = "",
    expires: str = "none",
    access: Access = HERE,
) -> int:
    """Make a token; it is printed this once.

    Parameters
    ----------
    label
        What it is for.
    scope
        What it may do: `read`, `run` (pipelines), `write` (projects, contexts) or `admin` (all); `read`
        without it. May be given several times.
    project
        Only in this project, by slug or id.
    organization
        Only in this organization, by slug or id.
    expires
        In how long it ends, like 12h or 90d.
    """
    seconds = read_limit(expires, "--expires") if expires != "none" else 0
    body = {
        "label": label,
        "scopes": scope or [Scope.READ],
        "project": project,
        "organization": organization,
        "expires_in": round(seconds),
    }
    made = open_client(access).own("POST", "tokens", MadeToken, body)
    return write_answer(made, made.secret, json=access.json)


@token.command(name="list")
def list_tokens(*, access: Access = HERE) -> int:
    """List tokens with their last use."""
    found = open_client(access).list_own("tokens", TokenView)
    heading = ("ID", "LABEL", "SCOPES", "LIMITED TO", "STATE", "LAST USED")
    return write_items(found, _list_cells, *heading, json=access.json)


def _list_cells(each: TokenView) -> list[str]:
    return [
        each.id,
        each.label,
        ",".join(each.scopes),
        each.project or each.organization or "-",
        _show_state(each),
        show_age(each.used_at),
    ]


@token.command
def revoke(named: Annotated[str, Parameter(name="token")], /, *, access: Access = HERE) -> int:
    """Revoke a token: it opens nothing any more.

    Parameters
    ----------
    named
        Its id or its label, as `penstock token list` shows them.
    """
    client = open_client(access)
    uuid = named if is_id(named) else _find_id(client, named)
    client.tell("DELETE", f"tokens/{uuid}")
    return write_answer({"id": uuid}, f"{named} is revoked.", json=access.json)


def _find_id(client: Client, label: str) -> str:
    fitting = [
        each.id
        for each in client.list_own("tokens", TokenView)
        if each.label == label and each.revoked_at is None
    ]
    if not fitting:
        raise NotFoundError(f"there is no token {label!r}")
    if len(fitting) > 1:
        raise InvalidError(f"several tokens are called {label!r}, give the id: {', '.join(fitting)}")
    return fitting[0]


def _show_state(token_view: TokenView) -> str:
    if token_view.revoked_at is not None:
        return "revoked"
    if token_view.expires_at is None:
        return "in use now" if token_view.current else "good"
    over = token_view.expires_at <= SystemClock().now()
    return "expired" if over else f"until {show_day(token_view.expires_at)}"
