"""`penstock user`: the accounts of a server."""

from collections.abc import Mapping
from typing import Annotated
from urllib.parse import quote

from cyclopts import App, Parameter

from penstock.api.penstock.payloads import UserView
from penstock.cli.catalog import CATALOG
from penstock.cli.remote.access import HERE, Access, open_client
from penstock.cli.remote.console import ask_password, show_day, write_answer, write_items

user = App(name="user", help=CATALOG["user"].help, help_epilogue=CATALOG["user"].epilogue)

Flag = Annotated[bool, Parameter(negative="")]


@user.command(name="list")
def list_users(*, access: Access = HERE) -> int:
    """List all accounts."""
    found = open_client(access).list_own("users", UserView)
    return write_items(
        found,
        lambda each: [each.login, each.name, _describe(each), show_day(each.created_at)],
        json=access.json,
    )


@user.command
def add(
    login: str,
    /,
    *,
    name: str = "",
    email: str = "",
    admin: Flag = False,
    password: Flag = False,
    access: Access = HERE,
) -> int:
    """Make an account.

    Parameters
    ----------
    login
        What it is called by.
    name
        The person's name.
    email
        The person's address.
    admin
        It administers the server.
    password
        Ask for a password, or read it from standard input; else it is entered by tokens alone
        (`penstock token create --user`).
    """
    body = {"login": login, "name": name, "email": email, "admin": admin}
    if password:
        body["password"] = ask_password(f"Password of {login}: ")
    made = open_client(access).own("POST", "users", UserView, body)
    return write_answer(made, f"{made.login} is made.", json=access.json)


@user.command
def password(login: str, /, *, access: Access = HERE) -> int:
    """Give an account another password: asked for, or a line of standard input.

    Parameters
    ----------
    login
        Whose it is.
    """
    body = {"password": ask_password(f"New password of {login}: ")}
    return _change(access, login, body, "has a new password.")


@user.command
def disable(login: str, /, *, access: Access = HERE) -> int:
    """Let an account and its tokens open nothing.

    Parameters
    ----------
    login
        Whose it is.
    """
    return _change(access, login, {"disabled": True}, "is disabled.")


@user.command
def enable(login: str, /, *, access: Access = HERE) -> int:
    """Let an account that was disabled and its tokens be used again.

    Parameters
    ----------
    login
        Whose it is.
    """
    return _change(access, login, {"disabled": False}, "is enabled.")


@user.command
def promote(login: str, /, *, access: Access = HERE) -> int:
    """Let an account administer the server.

    Parameters
    ----------
    login
        Whose it is.
    """
    return _change(access, login, {"admin": True}, "administers the server.")


@user.command
def demote(login: str, /, *, access: Access = HERE) -> int:
    """Let an account administer the server no more.

    Parameters
    ----------
    login
        Whose it is.
    """
    return _change(access, login, {"admin": False}, "administers the server no more.")


def _change(access: Access, login: str, body: Mapping[str, object], done: str) -> int:
    changed = open_client(access).own("PATCH", f"users/{quote(login, safe='')}", UserView, body)
    return write_answer(changed, f"{changed.login} {done}", json=access.json)


def _describe(found: UserView) -> str:
    if found.disabled_at is not None:
        return "disabled"
    return "administrator" if found.admin else ""
