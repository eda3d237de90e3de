"""`penstock login`: a server, and the token to call it with."""

import os
import socket
import sys
from typing import Annotated
from urllib.parse import urlsplit

from cyclopts import Parameter

from penstock.api.penstock.paging import Page
from penstock.api.penstock.payloads import MadeToken, ProjectView
from penstock.cli.exit import Exit
from penstock.cli.remote.access import SERVER, read_token
from penstock.cli.remote.answers import Me
from penstock.cli.remote.client import Client
from penstock.cli.remote.connection import Connection, check_url
from penstock.cli.remote.console import ask_hidden, ask_password, write_json, write_line
from penstock.cli.remote.saved import add_login, find_file, load_saved, save
from penstock.cli.streams import complain
from penstock.model.errors import ForbiddenError, InvalidError

DEFAULT = "http://127.0.0.1:8080"
_HERE = ("127.", "localhost", "::1")


def login(
    url: str = "",
    /,
    *,
    token: Annotated[str, Parameter(allow_leading_hyphen=True)] = "",
    user: str = "",
    json: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Remember a server and a token for it.

    Parameters
    ----------
    url
        The server's address; without it PENSTOCK_SERVER, else http://127.0.0.1:8080.
    token
        The token, or - for one from standard input; without it you are asked.
    user
        Your login on the server: its password is asked for, or read from standard input, and makes a token.
    json
        Print JSON.
    """
    address = check_url(url or os.environ.get(SERVER, "") or DEFAULT)
    secret = _find_secret(address, token, user)
    if not secret:
        raise InvalidError("no token was given")
    client = Client(Connection(address, secret))
    me = client.circle("GET", "me", Me)
    client.own("GET", "projects", Page[ProjectView], limit=1)  # so that another program is found out
    file = find_file(os.environ)
    save(file, add_login(load_saved(file), address, secret))
    parts = urlsplit(address)
    if parts.scheme == "http" and not str(parts.hostname).startswith(_HERE):
        complain(f"warning: what is sent to {address} can be read on the way, the token too; use https")
    if json:
        write_json({"server": address, "login": me.login})
    else:
        write_line(f"Logged in to {address} as {me.login}.")
    return Exit.SUCCESS


def _find_secret(address: str, token: str, user: str) -> str:
    if token and user:
        raise InvalidError("log in with a token or as a user, not both")
    if user:
        return _make_token(address, user)
    return read_token(token) if token else _ask_token(address)


def _make_token(address: str, user: str) -> str:
    """A token of the account, for which its password is given."""
    body = {
        "login": user,
        "password": ask_password(f"Password of {user}: "),
        "label": f"penstock login on {socket.gethostname()}"[:200],
    }
    try:
        return Client(Connection(address, "")).own("POST", "login", MadeToken, body).secret
    except ForbiddenError as error:
        raise ForbiddenError(f"{address} does not let {user} in with that password") from error


def _ask_token(address: str) -> str:
    """The token that somebody types, without showing it."""
    if not sys.stdin.isatty():
        raise InvalidError("nobody can be asked for the token: give --token - and it on standard input")
    return ask_hidden(f"Token for {address}: ").strip()
