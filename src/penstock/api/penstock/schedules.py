"""Schedules with what CircleCI's API does not tell: the firings to come, and why the last one ran nothing."""

from typing import Any

import msgspec

from penstock.api.common.call import Call
from penstock.api.common.caller import principal_of
from penstock.api.common.server import Server
from penstock.api.penstock.paging import Page, cut_page, read_number
from penstock.api.penstock.schedule_payloads import ScheduleFirings, ScheduleView
from penstock.engine.access import Action
from penstock.engine.lookup import open_project
from penstock.engine.schedules import list_every_schedule, open_schedule
from penstock.model.project import Project
from penstock.model.schedule import Schedule, list_firings


def list_of_project(server: Server, call: Call) -> Page[ScheduleView]:
    """The schedules of a project, those its configs ask for among them, oldest first."""
    by, query = principal_of(call), call.query
    with server.parts.db.read() as tx:
        project = open_project(tx, by, Action.SEE_PROJECT, call.params["project"])
        after = read_number(query.after)
        found = list_every_schedule(tx, by, project, after=after, limit=query.limit + 1)
    kept, rest = cut_page(found, query.limit, lambda each: each.id)
    return Page([ScheduleView(**_show(each, project)) for each in kept], rest)


def get(server: Server, call: Call) -> ScheduleFirings:
    """A schedule by id, with its firings to come."""
    by, uuid = principal_of(call), call.params["id"]
    with server.parts.db.read() as tx:
        found = open_schedule(tx, by, Action.SEE_PROJECT, uuid, of_config=True)
    firings = list_firings(found.schedule, server.parts.clock.now(), call.query.count)
    return ScheduleFirings(**_show(found.schedule, found.project), firings=firings)


def _show(schedule: Schedule, project: Project) -> dict[str, Any]:
    values = msgspec.structs.asdict(schedule) | {
        "id": schedule.uuid,
        "project": project.slug,
        "description": schedule.description or "",
    }
    return {name: values[name] for name in ScheduleView.__struct_fields__}
