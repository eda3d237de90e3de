"""`penstock webhook`: what a project tells others, and how that went."""

import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from cyclopts import App, Parameter

from penstock.cli.catalog import CATALOG
from penstock.cli.exit import Exit
from penstock.cli.remote.access import IN_PROJECT, InProject, open_client
from penstock.cli.remote.answers import Told, Webhook
from penstock.cli.remote.console import write_answer, write_items, write_json, write_table
from penstock.cli.remote.names import find_project, find_webhook, list_webhooks
from penstock.cli.webhook_log import deliveries, ping, redeliver
from penstock.model.errors import InvalidError

STDIN = "-"


class Event(StrEnum):
    """What a webhook can be sent about."""

    WORKFLOW_COMPLETED = "workflow-completed"
    JOB_COMPLETED = "job-completed"


Named = Annotated[str, Parameter(name="webhook")]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)  # cyclopts knows no structs of msgspec
class Fields:
    """What both a new webhook and an old one can be given."""

    name: Annotated[str, Parameter(help="What it is called; for a new one the host of its address.")] = ""
    event: Annotated[
        list[Event] | None,
        Parameter(
            help="What is sent: `workflow-completed`, `job-completed`; a new one has both. "
            "May be given several times.",
            negative="",
        ),
    ] = None
    secret_file: Annotated[
        str,
        Parameter(
            help="File with the secret that what is sent is signed with, - for standard input.",
            allow_leading_hyphen=True,
        ),
    ] = ""


FIELDS = Fields()

webhook = App(name="webhook", help=CATALOG["webhook"].help, help_epilogue=CATALOG["webhook"].epilogue)
webhook.command(deliveries)
webhook.command(redeliver)
webhook.command(ping)


@webhook.command(name="list")
def list_all(*, access: InProject = IN_PROJECT) -> int:
    """List the webhooks of a project."""
    client = open_client(access)
    found = list_webhooks(client, access.project)
    return write_items(found, _list_cells, "ID", "NAME", "EVENTS", "SIGNED", "URL", json=access.json)


@webhook.command
def create(
    url: str,
    /,
    *,
    fields: Fields = FIELDS,
    verify_tls: bool = True,
    access: InProject = IN_PROJECT,
) -> int:
    """Tell an address of what ends in a project.

    Parameters
    ----------
    url
        Where it is sent, https.
    verify_tls
        With --no-verify-tls any certificate of the receiver will do.
    """
    client = open_client(access)
    body = {
        "name": fields.name or _name_host(url),
        "events": fields.event or list(Event),
        "url": url,
        "verify-tls": verify_tls,
        "signing-secret": _read_secret(fields.secret_file),
        "scope": {"type": "project", "id": find_project(client, access.project).id},
    }
    made = client.circle("POST", "webhook", Webhook, body)
    return write_answer(
        made, f"{made.name} is told from now on: penstock webhook ping {made.id}", json=access.json
    )


@webhook.command
def show(named: Named, /, *, access: InProject = IN_PROJECT) -> int:
    """Show a webhook.

    Parameters
    ----------
    named
        The webhook, by id or name.
    """
    found = find_webhook(open_client(access), named, access.project)
    return _write(found, access)


@webhook.command
def update(
    named: Named,
    /,
    *,
    url: str = "",
    fields: Fields = FIELDS,
    remove_secret: Annotated[bool, Parameter(negative="")] = False,
    verify_tls: bool | None = None,
    access: InProject = IN_PROJECT,
) -> int:
    """Change a webhook; what is not given stays.

    Parameters
    ----------
    named
        The webhook, by id or name.
    url
        Where it is sent now.
    remove_secret
        Sign nothing any more.
    verify_tls
        Whether the receiver's certificate must be good.
    """
    if fields.secret_file and remove_secret:
        raise InvalidError("--secret-file and --remove-secret do not go together")
    given = {"url": url, "name": fields.name, "events": fields.event, "verify-tls": verify_tls}
    body: dict[str, Any] = {key: value for key, value in given.items() if value not in (None, "")}
    if fields.secret_file or remove_secret:
        body["signing-secret"] = _read_secret(fields.secret_file)
    if not body:
        raise InvalidError("what is to change? Give --url, --name, --event, --secret-file or --verify-tls")
    client = open_client(access)
    found = find_webhook(client, named, access.project)
    return _write(client.circle("PUT", f"webhook/{found.id}", Webhook, body), access)


@webhook.command
def delete(named: Named, /, *, access: InProject = IN_PROJECT) -> int:
    """Delete a webhook, with its log and what waits to be sent.

    Parameters
    ----------
    named
        The webhook, by id or name.
    """
    client = open_client(access)
    found = find_webhook(client, named, access.project)
    told = client.circle("DELETE", f"webhook/{found.id}", Told)
    return write_answer(told, f"{found.name} is told nothing any more.", json=access.json)


def _write(found: Webhook, access: InProject) -> int:
    if access.json:
        write_json(found)
        return Exit.SUCCESS
    write_table(
        [
            ["webhook", found.name],
            ["id", found.id],
            ["url", found.url],
            ["events", ", ".join(found.events)],
            ["signed", "yes" if found.signing_secret else "no"],
            ["certificate", "must be good" if found.verify_tls else "any"],
            ["made", found.created_at],
            ["changed", found.updated_at],
        ]
    )
    return Exit.SUCCESS


def _list_cells(each: Webhook) -> list[str]:
    return [each.id, each.name, ",".join(each.events), "yes" if each.signing_secret else "no", each.url]


def _name_host(url: str) -> str:
    """The host of an address; an address without one as it is, for the server says what is wrong with it."""
    try:
        return urlsplit(url).netloc or url
    except ValueError:
        return url


def _read_secret(file: str) -> str:
    """What the file holds, without line ends around it, "" for no file. Raises InvalidError for nothing."""
    if not file:
        return ""
    try:
        text = sys.stdin.read() if file == STDIN else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidError(f"{file} cannot be read: {error}") from error
    secret = text.strip("\r\n")
    if not secret:
        raise InvalidError(f"{file} holds no secret")
    return secret
