"""Schedules of a project: made, listed, changed and deleted."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from penstock.api.circleci.paging import Page, cut_page, read_token
from penstock.api.circleci.payloads import Message, User
from penstock.api.circleci.people import find_people
from penstock.api.circleci.platform import schedule_payloads as p
from penstock.api.circleci.show import NOBODY, SYSTEM_ID, People, show_user
from penstock.api.circleci.times import show_millis
from penstock.api.common.call import Call
from penstock.api.common.caller import principal_of
from penstock.api.common.server import Server
from penstock.engine import schedules
from penstock.engine.access import Action
from penstock.engine.lookup import open_project
from penstock.engine.schedules import Edit, NewSchedule, open_schedule
from penstock.model.project import Project
from penstock.model.schedule import SYSTEM, Schedule
from penstock.model.timetable import Timetable, TimetableChange

PAGE = 100
"""How many schedules a page has: some clients read only the first."""

DELETED = Message(message="Schedule deleted.")

SYSTEM_USER = User(id=SYSTEM_ID, login=SYSTEM, name="Scheduled", avatar_url=None)

_NAMES: Mapping[str, str] = {
    "per_hour": "per_hour",
    "hours_of_day": "hours",
    "days_of_week": "weekdays",
    "days_of_month": "month_days",
    "months": "months",
}
"""The vendor's names of the parts of a timetable, and ours."""


def list_of_project(server: Server, call: Call) -> Page[p.Schedule]:
    """The project's schedules, oldest first."""
    by = principal_of(call)
    with server.parts.db.read() as tx:
        project = open_project(tx, by, Action.SEE_PROJECT, call.params["slug"])
        place = f"schedules/{project.id}"
        after = read_token(call.query.page_token, place, int) or 0
        found = schedules.list_schedules(tx, by, project, after=after, limit=PAGE + 1)
        people = find_people(tx, [each.actor for each in found])
    kept, token = cut_page(found, PAGE, place, lambda each: each.id)
    return Page([show_schedule(each, project, people) for each in kept], token)


def create(server: Server, call: Call) -> p.Schedule:
    """Make a schedule."""
    body: p.CreateBody = call.payload
    with server.parts.db.read() as tx:
        project = open_project(tx, principal_of(call), Action.CHANGE_VARIABLES, call.params["slug"])
    new = NewSchedule(
        name=body.name,
        timetable=Timetable(**_read_parts(body.timetable)),
        parameters=body.parameters,
        system=body.attribution_actor is p.Attribution.SYSTEM,
        description=body.description,
    )
    made = schedules.create_schedule(server.parts, principal_of(call), project, new)
    return _show(server, made, project)


def get(server: Server, call: Call) -> p.Schedule:
    """A schedule by id."""
    with server.parts.db.read() as tx:
        found = open_schedule(tx, principal_of(call), Action.SEE_PROJECT, call.params["id"])
    return _show(server, found.schedule, found.project)


def update(server: Server, call: Call) -> p.Schedule:
    """Change a schedule; what is not given stays as it is."""
    body: p.UpdateBody = call.payload or p.UpdateBody()
    timetable: TimetableChange | UnsetType = UNSET
    if body.timetable is not UNSET:
        timetable = TimetableChange(**_read_parts(body.timetable))
    system: bool | UnsetType = UNSET
    if body.attribution_actor is not UNSET:
        system = body.attribution_actor is p.Attribution.SYSTEM
    edit = Edit(
        name=body.name,
        description=body.description,
        timetable=timetable,
        parameters=body.parameters,
        system=system,
    )
    schedules.change_schedule(server.parts, principal_of(call), call.params["id"], edit)
    return get(server, call)


def delete(server: Server, call: Call) -> Message:
    """Delete a schedule."""
    schedules.delete_schedule(server.parts, principal_of(call), call.params["id"])
    return DELETED


def show_schedule(schedule: Schedule, project: Project, people: People) -> p.Schedule:
    """A schedule that people made."""
    return p.Schedule(
        id=schedule.uuid,
        name=schedule.name,
        timetable=_show_timetable(schedule.timetable),
        description=schedule.description,
        project_slug=project.slug,
        parameters=schedule.parameters,
        actor=_show_actor(schedule.actor, people),
        created_at=show_millis(schedule.created_at),
        updated_at=show_millis(schedule.updated_at),
    )


def _show(server: Server, schedule: Schedule, project: Project) -> p.Schedule:
    with server.parts.db.read() as tx:
        people = find_people(tx, [schedule.actor])
    return show_schedule(schedule, project, people)


def _show_actor(login: str, people: People) -> User:
    if login == SYSTEM:
        return SYSTEM_USER
    known = people.get(login)
    return show_user(known) if known else User(id=NOBODY, login=login, name=login, avatar_url=None)


def _show_timetable(timetable: Timetable | None) -> p.Timetable:
    shown = timetable or Timetable(per_hour=1, hours=())
    return p.Timetable(
        per_hour=shown.per_hour,
        hours_of_day=shown.hours,
        days_of_week=shown.weekdays or UNSET,
        days_of_month=shown.month_days or UNSET,
        months=shown.months or UNSET,
    )


def _read_parts(body: p.Timetable | p.TimetablePart) -> dict[str, Any]:
    """What is given of a timetable, by our names; null is not given."""
    values = msgspec.structs.asdict(body)
    return {ours: values[theirs] for theirs, ours in _NAMES.items() if values[theirs] not in {None, UNSET}}
