"""`penstock schedule`: pipelines of a project that start by themselves."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
from cyclopts import App, Parameter

from penstock.api.penstock.schedule_payloads import ScheduleFirings, ScheduleView
from penstock.cli.catalog import CATALOG
from penstock.cli.options import split_pairs
from penstock.cli.remote.access import IN_PROJECT, InProject, open_client
from penstock.cli.remote.answers import Identified, Told
from penstock.cli.remote.client import Client
from penstock.cli.remote.console import show_day, write_answer, write_items
from penstock.cli.remote.names import find_project
from penstock.kit.clock import to_datetime
from penstock.kit.ids import is_id
from penstock.model.errors import InvalidError, NotFoundError
from penstock.model.timetable import Weekday

Named = Annotated[str, Parameter(name="schedule")]
Several = list[str]

schedule = App(name="schedule", help=CATALOG["schedule"].help, help_epilogue=CATALOG["schedule"].epilogue)


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)  # cyclopts knows no structs of msgspec
class When:
    """The timetable."""

    hours: Annotated[str, Parameter(help="The hours, in UTC, like 3 or 0,12 or 8-17.")] = ""
    per_hour: Annotated[int, Parameter(help="How often in each of these hours, 1 to 60.")] = 0
    days: Annotated[str, Parameter(help="The days of the week, like MON,FRI; else all of them.")] = ""
    month_days: Annotated[str, Parameter(help="The days of the month instead, like 1,15 or 1-7.")] = ""
    months: Annotated[str, Parameter(help="The months, like JAN,JUL; else all of them.")] = ""


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class What:
    """What is run."""

    branch: Annotated[str, Parameter(help="The branch that is built.")] = ""
    tag: Annotated[str, Parameter(help="The tag that is built.")] = ""
    parameter: Annotated[
        Several | None,
        Parameter(
            help="NAME=VALUE of a pipeline parameter; may be given several times. A number in double quotes "
            "is text.",
            negative="",
            alias="-p",
        ),
    ] = None


SOMETIME, SOMETHING = When(), What()


@schedule.command(name="list")
def list_schedules(*, access: InProject = IN_PROJECT) -> int:
    """List the schedules of a project, those its configs ask for among them."""
    client = open_client(access)
    heading = ("ID", "NAME", "NEXT", "RUNS AS", "LAST DUE", "OUTCOME")
    return write_items(_list_all(client, access.project), _list_cells, *heading, json=access.json)


@schedule.command
def create(
    name: str,
    /,
    *,
    when: When = SOMETIME,
    what: What = SOMETHING,
    description: str = "",
    actor: Literal["current", "system"] = "current",
    access: InProject = IN_PROJECT,
) -> int:
    """Make a schedule.

    Parameters
    ----------
    name
        Its name, which the config can ask for as pipeline.schedule.name.
    description
        What it is for.
    actor
        As whom it runs: `current` is you, `system` nobody in particular.
    """
    if not when.hours:
        raise InvalidError("when? Give --hours, for example --hours 3")
    client = open_client(access)
    found = find_project(client, access.project)
    body: dict[str, Any] = {
        "name": name,
        "timetable": {"per-hour": 1, "days-of-week": list(Weekday), **_read_timetable(when)},
        "attribution-actor": actor,
        "parameters": _read_parameters(what) or {"branch": found.default_branch},
        "description": description or None,
    }
    if when.month_days and not when.days:
        del body["timetable"]["days-of-week"]
    made = client.circle("POST", f"project/{found.address}/schedule", Identified, body)
    return _show_firings(_load(client, made.id, 1), json=access.json)


@schedule.command
def show(named: Named, /, *, access: InProject = IN_PROJECT) -> int:
    """Show a schedule.

    Parameters
    ----------
    named
        Its name or id.
    """
    client = open_client(access)
    found = _load(client, _find_id(client, named, access.project), 3)
    return (
        write_items([found], str, json=True)
        if access.json
        else write_items(_list_facts(found), list, json=False)
    )


@schedule.command
def update(
    named: Named,
    /,
    *,
    when: When = SOMETIME,
    what: What = SOMETHING,
    name: str = "",
    description: str | None = None,
    actor: Literal["current", "system"] | None = None,
    access: InProject = IN_PROJECT,
) -> int:
    """Change a schedule; what is not given stays as it is. Parameters are replaced as a whole.

    Parameters
    ----------
    named
        Its name or id.
    name
        Another name.
    description
        What it is for; "" for nothing.
    actor
        As whom it runs from now on: `current` is you, `system` nobody in particular.
    """
    client = open_client(access)
    uuid = _find_id(client, named, access.project)
    given: dict[str, Any] = {
        "name": name,
        "timetable": _read_timetable(when),
        "attribution-actor": actor,
        "parameters": _read_parameters(what),
    }
    body = {key: value for key, value in given.items() if value}
    if description is not None:
        body["description"] = description or None
    client.circle("PATCH", f"schedule/{uuid}", Identified, body)
    return _show_firings(_load(client, uuid, 1), json=access.json)


@schedule.command
def delete(named: Named, /, *, access: InProject = IN_PROJECT) -> int:
    """Delete a schedule.

    Parameters
    ----------
    named
        Its name or id.
    """
    client = open_client(access)
    uuid = _find_id(client, named, access.project)
    client.circle("DELETE", f"schedule/{uuid}", Told)
    return write_answer({"id": uuid}, f"{named} is deleted.", json=access.json)


@schedule.command(name="next")
def list_next(named: Named, /, *, count: int = 10, access: InProject = IN_PROJECT) -> int:
    """Print when a schedule starts the next times.

    Parameters
    ----------
    named
        Its name or id.
    count
        How many times, up to 1000.
    """
    client = open_client(access)
    found = _load(client, _find_id(client, named, access.project), count)
    rows = [{"at": each} for each in found.firings]
    return write_items(rows, lambda row: [_show_instant(row["at"])], json=access.json)


def _list_all(client: Client, project: str) -> list[ScheduleView]:
    found = find_project(client, project)
    return list(client.list_own(f"projects/{found.id}/schedules", ScheduleView))


def _find_id(client: Client, named: str, project: str) -> str:
    """The id of a schedule that was named. Raises NotFoundError."""
    if is_id(named):
        return named
    found = [each for each in _list_all(client, project) if each.name == named]
    if not found:
        raise NotFoundError(f"there is no schedule {named!r}: `penstock schedule list` lists them")
    return min(found, key=lambda each: each.branch).id


def _load(client: Client, uuid: str, count: int) -> ScheduleFirings:
    return client.own("GET", f"schedules/{uuid}", ScheduleFirings, count=str(count))


def _show_firings(found: ScheduleFirings, *, json: bool) -> int:
    """Say what was made or changed, and when it starts next."""
    following = _show_instant(found.next_at)
    return write_answer(found, f"{found.name} ({found.id}) starts next at {following}.", json=json)


def _list_cells(each: ScheduleView) -> list[str]:
    outcome = each.outcome or (f"pipeline {each.pipeline}" if each.pipeline else "-")
    name = f"{each.name} ({each.branch})" if each.branch else each.name
    return [each.id, name, _show_instant(each.next_at), each.actor, show_day(each.fired_at), outcome]


def _list_facts(found: ScheduleFirings) -> list[list[str]]:
    """A row for each thing there is to know."""
    facts = {
        "id": found.id,
        "name": found.name,
        "description": found.description,
        "project": found.project,
        "asked for by the config on": found.branch,
        "when": _show_rule(found),
        "what": ", ".join(f"{name}={value}" for name, value in found.parameters.items()),
        "runs as": found.actor,
        "next": ", ".join(map(_show_instant, found.firings)) or "-",
        "last due": "" if found.fired_at is None else _show_instant(found.fired_at),
        "pipeline": found.pipeline,
        "outcome": found.outcome,
    }
    return [[name, text] for name, text in facts.items() if text]


def _show_rule(found: ScheduleView) -> str:
    table = found.timetable
    if table is None:
        return f"cron {'; '.join(found.crons)}"
    every = "every day" if len(table.weekdays) == len(Weekday) else ""
    days = every or ",".join(table.weekdays) or f"on the {','.join(map(str, table.month_days))}."
    months = f" in {','.join(table.months)}" if table.months else ""
    hours = ",".join(map(str, table.hours))
    return f"{table.per_hour} an hour, hours {hours}, {days}{months} (UTC)"


def _show_instant(instant: int | None) -> str:
    """In UTC, as timetables are."""
    return "-" if instant is None else to_datetime(instant).strftime("%a %Y-%m-%d %H:%M:%S UTC")


def _read_timetable(when: When) -> dict[str, Any]:
    """What is given of a timetable, as CircleCI's API takes it."""
    given: dict[str, Any] = {
        "per-hour": when.per_hour or None,
        "hours-of-day": _read_numbers(when.hours, "--hours"),
        "days-of-week": _read_words(when.days),
        "days-of-month": _read_numbers(when.month_days, "--month-days"),
        "months": _read_words(when.months),
    }
    return {name: value for name, value in given.items() if value}


def _read_words(text: str) -> list[str]:
    return [word.strip().upper() for word in text.split(",") if word.strip()]


def _read_numbers(text: str, option: str) -> list[int]:
    """The numbers of a list like `1,5,8-10`. Raises InvalidError."""
    found: list[int] = []
    for word in filter(None, (part.strip() for part in text.split(","))):
        first, dash, last = word.partition("-")
        ends = [first, last if dash else first]
        if not all(end.isascii() and end.isdecimal() and len(end) <= len("31") for end in ends):
            raise InvalidError(f"{option} wants numbers like 1,5 or 8-17, not {word!r}")
        if int(ends[0]) > int(ends[1]):
            raise InvalidError(f"{option}: {word} ends before it begins; write it as two ranges")
        found += range(int(ends[0]), int(ends[1]) + 1)
    return found


def _read_parameters(what: What) -> dict[str, str | int | bool]:
    """The parameters of a schedule, {} when nothing is said. Raises InvalidError."""
    if what.branch and what.tag:
        raise InvalidError("--branch and --tag exclude each other: a schedule is for one of them")
    given = {
        name: _read_value(text) for name, text in split_pairs(what.parameter or (), "--parameter").items()
    }
    ref = {"branch": what.branch} if what.branch else {"tag": what.tag} if what.tag else {}
    if given and not ref:
        raise InvalidError("--parameter needs --branch or --tag beside it")
    return {**ref, **given}


def _read_value(text: str) -> str | int | bool:
    """A truth value or a whole number as it is typed, else text; in double quotes it is text in any case."""
    try:
        return msgspec.json.decode(text, type=int | bool | str)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return text
