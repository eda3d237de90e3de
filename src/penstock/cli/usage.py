"""`penstock usage`: what the jobs of an organization used, summed up or run by run."""

from datetime import datetime
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from cyclopts import App, Parameter

from penstock.api.penstock.payloads import OrganizationView
from penstock.api.penstock.usage_payloads import UsageView
from penstock.cli.catalog import CATALOG
from penstock.cli.exit import Exit
from penstock.cli.remote.access import IN_PROJECT, InProject, open_client
from penstock.cli.remote.client import Client
from penstock.cli.remote.console import write_answer, write_items, write_json, write_line
from penstock.cli.remote.export import await_export, read_lines, read_records, write_file, write_out
from penstock.cli.remote.names import find_project
from penstock.kit.clock import SystemClock, from_datetime, to_datetime
from penstock.kit.durations import parse_duration
from penstock.model.errors import InvalidError, UnavailableError

_DAYS = 30
_DAY = 86_400_000
_HOUR = 3600

usage = App(name="usage", help=CATALOG["usage"].help, help_epilogue=CATALOG["usage"].epilogue)


@usage.command
def show(*, organization: str = "", start: str = "", end: str = "", access: InProject = IN_PROJECT) -> int:
    """Show how long jobs ran, and what that comes to in credits, by project and resource class.

    Parameters
    ----------
    organization
        The organization, by slug or id; else that of the project.
    start
        From when runs began, as 2026-11-01 or 2026-11-01T12:00:00Z; else thirty days before the end.
    end
        Until when; else now.
    """
    client = open_client(access)
    owner = _find_organization(client, organization, access.project)
    first, last = _read_span(start, end)
    found = client.list_own(f"organizations/{quote(owner.id)}/usage", UsageView, start=first, end=last)
    heading = ("PROJECT", "EXECUTOR", "RESOURCE CLASS", "RUNS", "HOURS", "CREDITS")
    return write_items(found, _show_total, *heading, json=access.json)


@usage.command
def export(
    *,
    organization: str = "",
    start: str = "",
    end: str = "",
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    export_id: str = "",
    wait: str = "10m",
    access: InProject = IN_PROJECT,
) -> int:
    """Print a row of CSV for each run of a job, or write them to a file.

    Parameters
    ----------
    organization
        The organization, by slug or id; else that of the project.
    start
        From when runs began, as 2026-11-01 or 2026-11-01T12:00:00Z; else thirty days before the end.
    end
        Until when, at most 31 days later; else now.
    output
        The file; one whose name ends in .gz is packed.
    export_id
        An export that was asked for before, instead of another.
    wait
        How long to wait until it is made; 0s only asks for it.
    """
    if output is not None and not output.parent.is_dir():
        raise UnavailableError(f"cannot write {output}: there is no folder {output.parent}")
    client = open_client(access)
    owner = _find_organization(client, organization, access.project)
    patience = _read_patience(wait)
    made = await_export(client, owner.id, export_id or _read_span(start, end), patience)
    if made.state != "completed":
        sentence = f"The export {made.usage_export_job_id} is {made.state}: fetch it with --export-id."
        write_answer(made, sentence, json=access.json)
        return Exit.UNFINISHED if patience else Exit.SUCCESS
    lines = read_lines(client, made)
    if output is not None:
        count = write_file(output, lines)
        told = {"export": made.usage_export_job_id, "runs": count, "file": str(output)}
        write_json(told) if access.json else write_line(f"{output}: {count} runs")
    elif access.json:
        for record in read_records(lines):
            write_json(record)
    else:
        write_out(lines)
    return Exit.SUCCESS


def _show_total(total: UsageView) -> list[str]:
    taken = "-" if total.credits is None else f"{total.credits:,.2f}"
    hours = f"{total.seconds / _HOUR:,.2f}"
    return [total.name, total.executor, total.resource_class or "-", f"{total.runs:,}", hours, taken]


def _find_organization(client: Client, named: str, project: str) -> OrganizationView:
    """The organization that is named, else that of the project that is named or cloned here."""
    if not named:
        named = find_project(client, project).organization
    return client.own("GET", f"organizations/{quote(named, safe='')}", OrganizationView)


def _read_span(start: str, end: str) -> tuple[int, int]:
    """The instants of the options. Raises InvalidError."""
    last = _read_instant(end) if end else SystemClock().now()
    return (_read_instant(start) if start else max(last - _DAYS * _DAY, 0)), last


def _read_instant(text: str) -> int:
    try:
        instant = from_datetime(datetime.fromisoformat(text))
        to_datetime(instant)
    except (ValueError, OverflowError) as error:
        raise InvalidError(f"{text!r} is no time: 2026-11-01 is one, or 2026-11-01T12:00:00Z") from error
    return instant


def _read_patience(text: str) -> float:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise InvalidError(str(error)) from error
