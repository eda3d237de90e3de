"""`penstock project credentials` and `statuses`: what a project needs of its git host."""

from typing import Annotated

from cyclopts import Parameter

from penstock.api.penstock.payloads import CredentialsView, StatusesView
from penstock.cli.exit import Exit
from penstock.cli.options import read_secret_file
from penstock.cli.remote.access import HERE, Access, open_client
from penstock.cli.remote.client import Client
from penstock.cli.remote.console import write_answer, write_json, write_line, write_table
from penstock.cli.remote.names import find_project
from penstock.model.errors import InvalidError

File = Annotated[str, Parameter(allow_leading_hyphen=True)]
"""The path of a file, or `-`."""


def credentials(
    named: Annotated[str, Parameter(name="project")] = "",
    /,
    *,
    token_file: File = "",
    user: str = "",
    key_file: File = "",
    known_hosts: str = "",
    remove: Annotated[bool, Parameter(negative="")] = False,
    access: Access = HERE,
) -> int:
    """Show or change what a project is cloned with: a token for https, a private key for ssh.

    Parameters
    ----------
    named
        The project, by slug or id; without it the one this checkout is cloned from.
    token_file
        File with the token, - for standard input.
    user
        Who the token is of; without it the name the host expects beside a token.
    key_file
        File with the private key (a deploy key), - for standard input. It has no passphrase.
    known_hosts
        File with lines for ssh's known_hosts (`ssh-keyscan git.example.com`).
    remove
        Clone it without credentials.
    """
    client = open_client(access)
    place = f"projects/{find_project(client, named).id}/credentials"
    if remove:
        return _remove(client, place, access)
    if token_file or user or key_file or known_hosts:
        body = {
            "token": read_secret_file(token_file).strip(),
            "user": user,
            "private_key": read_secret_file(key_file),
            "known_hosts": read_secret_file(known_hosts),
        }
        found = client.own("PUT", place, CredentialsView, body)
    else:
        found = client.own("GET", place, CredentialsView)
    if access.json:
        write_json(found)
    elif not (found.token or found.private_key):
        hosts = " It knows the host's key." if found.known_hosts else ""
        write_line(
            f"It is cloned without credentials, or with a checkout key (penstock project key list).{hosts}"
        )
    else:
        parts = [("token", found.token), ("private key", found.private_key)]
        table = [["cloned with", " and ".join(name for name, there in parts if there)]]
        write_table(table + ([["user", found.user]] if found.user else []))
    return Exit.SUCCESS


def statuses(
    named: Annotated[str, Parameter(name="project")] = "",
    /,
    *,
    token_file: File = "",
    host: str = "",
    api: str = "",
    repository: str = "",
    remove: Annotated[bool, Parameter(negative="")] = False,
    access: Access = HERE,
) -> int:
    """Show or change where statuses of a project's commits are told.

    Parameters
    ----------
    named
        The project, by slug or id; without it the one this checkout is cloned from.
    token_file
        File with a token that may set statuses, - for standard input.
    host
        Kind of host: github, gitlab, gitea, bitbucket or bitbucket_server; without it the one the address
        of the project is known to be.
    api
        Address of the host's API; without it the usual one of the host.
    repository
        Full name of the repository there, like acme/app; without it as in the project's address.
    remove
        Tell the host nothing any more.
    """
    client = open_client(access)
    place = f"projects/{find_project(client, named).id}/statuses"
    if remove:
        return _remove(client, place, access)
    if token_file or host or api or repository:
        if not token_file:
            raise InvalidError(
                "the token is not kept where it could be read again: give it with --token-file"
            )
        body = {
            "token": read_secret_file(token_file).strip(),
            "host": host,
            "api": api,
            "repository": repository,
        }
        found = client.own("PUT", place, StatusesView, body)
    else:
        found = client.own("GET", place, StatusesView)
    if access.json:
        write_json(found)
    elif not found.host:
        write_line("No host is told of its commits.")
    else:
        write_table([["host", found.host], ["api", found.api], ["repository", found.repository]])
    return Exit.SUCCESS


def _remove(client: Client, place: str, access: Access) -> int:
    client.tell("DELETE", place)
    return write_answer({"removed": True}, "They are removed.", json=access.json)
