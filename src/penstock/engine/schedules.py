"""Schedules as people make and change them; `engine.firing` lets them fire.

    made, changed -> armed for its next firing -> due -> armed for the one after, and a pipeline promised

A schedule runs as somebody: as the one who last said what it runs and when, or as nobody in particular.
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec

from penstock.engine.access import Action, require
from penstock.engine.audit import note
from penstock.engine.launch import Simple, check_parameters
from penstock.engine.lookup import open_project_of
from penstock.engine.principal import Principal
from penstock.engine.projects import change_project
from penstock.engine.runs import read_id
from penstock.engine.unit import Parts, Unit
from penstock.kit.ids import new_id
from penstock.model.errors import ConflictError, InvalidError, LimitExceededError, NotFoundError, RefusedError
from penstock.model.project import Organization, Project
from penstock.model.schedule import SYSTEM, Schedule, next_firing
from penstock.model.timetable import Timetable, TimetableChange, change_timetable, check_timetable
from penstock.store import schedules
from penstock.store.database import Transaction
from penstock.store.schedules import ScheduleChange

T = TypeVar("T")

MOST_SCHEDULES = 200
"""Schedules of a project that people made."""

MOST_NAME, MOST_DESCRIPTION, MOST_REF = 200, 2000, 255
REFS = ("branch", "tag")
"""The parameters that say where the pipeline is of; the others are the pipeline's own."""


class NewSchedule(msgspec.Struct, frozen=True, kw_only=True):
    """A schedule to be made; it runs as who asks, or as the `system`."""

    name: str
    timetable: Timetable
    parameters: Mapping[str, Simple]
    system: bool
    description: str | None = None


class Edit(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be different about a schedule; unset fields stay as they are."""

    name: str | msgspec.UnsetType = msgspec.UNSET
    description: str | msgspec.UnsetType | None = msgspec.UNSET
    timetable: TimetableChange | msgspec.UnsetType = msgspec.UNSET
    parameters: Mapping[str, Simple] | msgspec.UnsetType = msgspec.UNSET
    system: bool | msgspec.UnsetType = msgspec.UNSET


class OpenSchedule(msgspec.Struct, frozen=True):
    """A schedule and the project it is of."""

    schedule: Schedule
    project: Project


def create_schedule(parts: Parts, by: Principal, project: Project, new: NewSchedule) -> Schedule:
    """A new schedule, armed for its next firing.

    Raises ForbiddenError, also for who may not run pipelines, InvalidError for what is wrong with it,
    ConflictError when the name is taken, LimitExceededError past `MOST_SCHEDULES`.
    """
    require(by, Action.RUN_PIPELINE, project)
    _check_texts(new.name, new.description)
    timetable, parameters = check_timetable(new.timetable), _check_parameters(new.parameters)

    def work(unit: Unit, found: Project, owner: Organization) -> Schedule:
        _check_name_free(unit.tx, found, new.name)
        if schedules.count_schedules(unit.tx, found.id) >= MOST_SCHEDULES:
            raise LimitExceededError(f"A project may have {MOST_SCHEDULES} schedules.")
        record = Schedule(
            id=0,
            uuid=new_id(),
            project_id=found.id,
            branch="",
            name=new.name,
            description=new.description,
            timetable=timetable,
            crons=(),
            parameters=parameters,
            actor=SYSTEM if new.system else _name_actor(by),
            created_at=unit.now,
            updated_at=unit.now,
            armed_at=unit.now,
            next_at=None,
        )
        armed = msgspec.structs.replace(record, next_at=next_firing(record, unit.now))
        note(unit, by, "schedule.create", armed.uuid, organization=owner, name=new.name, project=found.slug)
        return schedules.add_schedule(unit.tx, armed)

    return change_project(parts, by, Action.CHANGE_VARIABLES, project, work)


def list_schedules(
    tx: Transaction, by: Principal, project: Project, *, after: int = 0, limit: int = 100
) -> list[Schedule]:
    """The project's schedules that people made, oldest first, those with an id above `after`."""
    require(by, Action.SEE_PROJECT, project)
    return schedules.list_schedules(tx, project.id, after=after, limit=limit)


def list_every_schedule(
    tx: Transaction, by: Principal, project: Project, *, after: int = 0, limit: int = 100
) -> list[Schedule]:
    """The same with those that configs ask for."""
    require(by, Action.SEE_PROJECT, project)
    return schedules.list_every(tx, project.id, after=after, limit=limit)


def open_schedule(
    tx: Transaction, by: Principal, action: Action, uuid: str, *, of_config: bool = False
) -> OpenSchedule:
    """The schedule of that UUID, in whose project the principal may do this.

    One that a config asks for is found only on demand. Raises InvalidError for what is no UUID,
    NotFoundError for one the principal may not know of, and ForbiddenError.
    """
    found = schedules.schedule_by_uuid(tx, read_id(uuid))
    if found is None or (found.branch and not of_config):
        raise NotFoundError("Schedule not found.")
    try:
        return OpenSchedule(found, open_project_of(tx, by, action, found.project_id))
    except NotFoundError as error:
        raise NotFoundError("Schedule not found.") from error


def change_schedule(parts: Parts, by: Principal, uuid: str, edit: Edit) -> Schedule:
    """The schedule as it is afterwards, armed anew when its timetable is another.

    Whoever changes what a person's schedule runs, or when, is who it runs as from now on: nobody runs
    anything in another's name. Its name counts, since configs ask for it. Raises as `create_schedule`
    does, and NotFoundError.
    """
    with parts.db.read() as tx:
        open_schedule(tx, by, Action.RUN_PIPELINE, uuid, of_config=True)
    _check_texts("x" if edit.name is msgspec.UNSET else edit.name, edit.description or None)

    def work(unit: Unit, found: Schedule, owner: Organization) -> Schedule:
        changed = _apply(found, edit, by, unit.now)
        if changed.name != found.name:
            _check_name_free(unit.tx, found.project_id, changed.name)
        names = [name for name in _EDITABLE if getattr(changed, name) != getattr(found, name)]
        note(unit, by, "schedule.change", found.uuid, organization=owner, name=changed.name, changed=names)
        values = {name: getattr(changed, name) for name in (*_EDITABLE, "updated_at", "armed_at", "next_at")}
        schedules.update_schedules(unit.tx, [ScheduleChange(id=found.id, **values)])
        return changed

    return _change(parts, by, uuid, work)


def delete_schedule(parts: Parts, by: Principal, uuid: str) -> None:
    """The schedule is gone, and what it promised is not kept. Raises NotFoundError, ForbiddenError."""

    def work(unit: Unit, found: Schedule, owner: Organization) -> None:
        schedules.delete_schedule(unit.tx, found.id)
        note(unit, by, "schedule.delete", found.uuid, organization=owner, name=found.name)

    _change(parts, by, uuid, work)


_EDITABLE = ("name", "description", "timetable", "parameters", "actor")


def _apply(found: Schedule, edit: Edit, by: Principal, now: int) -> Schedule:
    """The schedule with what the edit sets. Raises InvalidError."""
    timetable, parameters = found.timetable, found.parameters
    name = found.name if edit.name is msgspec.UNSET else edit.name
    if edit.timetable is not msgspec.UNSET and timetable is not None:
        timetable = change_timetable(timetable, edit.timetable)
    if edit.parameters is not msgspec.UNSET:
        parameters = _check_parameters(edit.parameters)
    actor = found.actor
    if edit.system is not msgspec.UNSET:
        actor = SYSTEM if edit.system else _name_actor(by)
    elif actor != SYSTEM and (name, timetable, parameters) != (found.name, found.timetable, found.parameters):
        actor = _name_actor(by)
    changed = msgspec.structs.replace(
        found,
        name=name,
        description=found.description if edit.description is msgspec.UNSET else edit.description,
        timetable=timetable,
        parameters=parameters,
        actor=actor,
        updated_at=now,
    )
    if timetable == found.timetable:
        return changed  # what is due stays due
    return msgspec.structs.replace(changed, armed_at=now, next_at=next_firing(changed, now))


def _change(parts: Parts, by: Principal, uuid: str, work: Callable[[Unit, Schedule, Organization], T]) -> T:
    """What `work` returned, which changed the schedule alone. Raises RefusedError for one of a config."""
    with parts.db.read() as tx:
        opened = open_schedule(tx, by, Action.CHANGE_VARIABLES, uuid, of_config=True)
    if opened.schedule.branch:
        raise RefusedError(f"The config on {opened.schedule.branch} asks for this schedule: change it there.")

    def locked(unit: Unit, found: Project, owner: Organization) -> T:
        known = schedules.schedule_by_uuid(unit.tx, read_id(uuid))
        schedule = None if known is None else schedules.lock_schedule(unit.tx, known.id)
        if schedule is None or schedule.project_id != found.id:
            raise NotFoundError("Schedule not found.")
        unit.catch_up()
        return work(unit, schedule, owner)

    return change_project(parts, by, Action.CHANGE_VARIABLES, opened.project, locked)


def _name_actor(by: Principal) -> str:
    """As whom pipelines run that the principal wants."""
    return by.user.login or SYSTEM


def _check_texts(name: str, description: str | msgspec.UnsetType | None) -> None:
    if not name.strip() or len(name) > MOST_NAME or not name.isprintable():
        raise InvalidError(f"A schedule has a name of up to {MOST_NAME} printable characters.")
    if isinstance(description, str) and len(description) > MOST_DESCRIPTION:
        raise InvalidError(f"A description may have up to {MOST_DESCRIPTION} characters.")


def _check_parameters(parameters: Mapping[str, Simple]) -> dict[str, Simple]:
    """The parameters. Raises InvalidError unless exactly one of branch and tag is among them."""
    refs = [name for name in REFS if name in parameters]
    if len(refs) != 1:
        raise InvalidError("The parameters of a schedule must have branch or tag, and only one of them.")
    ref = parameters[refs[0]]
    if not isinstance(ref, str) or not 0 < len(ref) <= MOST_REF or not ref.isprintable():
        raise InvalidError(f"{refs[0]} must be a name of up to {MOST_REF} characters.")
    check_parameters(parameters)
    return dict(parameters)


def _check_name_free(tx: Transaction, project: Project | int, name: str) -> None:
    project_id = project if isinstance(project, int) else project.id
    if schedules.find_schedule(tx, project_id, name) is not None:
        raise ConflictError(f"There is a schedule {name} already.")
