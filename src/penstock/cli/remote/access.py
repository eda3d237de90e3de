"""The options of every command that talks to a server, and the server they name."""

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from penstock.model.errors import InvalidError

if TYPE_CHECKING:
    from penstock.cli.remote.client import Client

SERVER, TOKEN = "PENSTOCK_SERVER", "PENSTOCK_TOKEN"


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)  # cyclopts knows no structs of msgspec
class Access:
    """Which server, as whom, and how it is told."""

    server: Annotated[
        str, Parameter(help=f"The server's address; else {SERVER}, else where you logged in last.")
    ] = ""
    token: Annotated[
        str,
        Parameter(
            help=f"The token, or - for one from standard input; else {TOKEN}, else that of the login.",
            allow_leading_hyphen=True,
        ),
    ] = ""
    json: Annotated[bool, Parameter(help="Print JSON.", negative="")] = False


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class InProject(Access):
    """The same, and which project."""

    project: Annotated[
        str, Parameter(help="The project, by slug or id; else the one this checkout is cloned from.")
    ] = ""


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class InOrganization(Access):
    """The same, and which organization."""

    organization: Annotated[
        str, Parameter(help="The organization, by slug or id; else that of the project of this checkout.")
    ] = ""


HERE = Access()
IN_PROJECT = InProject()
IN_ORGANIZATION = InOrganization()


def open_client(access: Access) -> "Client":
    """The server that options, environment or login name; nothing was sent to it yet.

    A token that was saved is sent only to the server it was saved for. Raises InvalidError when none is
    named, or no token for it.
    """
    from penstock.cli.remote.client import Client  # `penstock logs` of a local run needs none of it
    from penstock.cli.remote.connection import Connection, check_url
    from penstock.cli.remote.saved import find_file, load_saved

    saved = load_saved(find_file(os.environ))
    named = access.server or os.environ.get(SERVER, "") or saved.server
    if not named:
        raise InvalidError(f"which server? Log in with `penstock login URL`, or give --server or {SERVER}")
    url = check_url(named)
    token = read_token(access.token) or os.environ.get(TOKEN, "").strip() or saved.tokens.get(url, "")
    if not token:
        raise InvalidError(f"no token for {url}: `penstock login {url}`, or give {TOKEN}")
    return Client(Connection(url, token))


def read_token(given: str) -> str:
    """The token of the option; `-` reads a line of standard input."""
    return sys.stdin.readline().strip() if given == "-" else given
