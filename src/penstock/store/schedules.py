"""Schedules: those of a project by name, and over all projects those that are due."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import Executable, Select, bindparam, delete, func, select, update

from penstock.model.schedule import Schedule, Simple
from penstock.model.timetable import Timetable
from penstock.store import rows
from penstock.store.database import Transaction
from penstock.store.schema import schedules
from penstock.store.upserts import insert_into


class ScheduleChange(msgspec.Struct, kw_only=True):
    """What may change about a schedule; unset fields stay as they are."""

    id: int
    name: str | msgspec.UnsetType = msgspec.UNSET
    description: str | msgspec.UnsetType | None = msgspec.UNSET
    timetable: Timetable | msgspec.UnsetType = msgspec.UNSET
    crons: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    parameters: dict[str, Simple] | msgspec.UnsetType = msgspec.UNSET
    actor: str | msgspec.UnsetType = msgspec.UNSET
    updated_at: int | msgspec.UnsetType = msgspec.UNSET
    armed_at: int | msgspec.UnsetType = msgspec.UNSET
    next_at: int | msgspec.UnsetType | None = msgspec.UNSET
    fired_at: int | msgspec.UnsetType = msgspec.UNSET
    pipeline: str | msgspec.UnsetType = msgspec.UNSET
    outcome: str | msgspec.UnsetType = msgspec.UNSET


def add_schedule(tx: Transaction, schedule: Schedule) -> Schedule:
    """The stored schedule; its `id` is ignored. Raises ConflictError when the name is taken."""
    return msgspec.structs.replace(schedule, id=rows.insert_row(tx, schedules, rows.values_of(schedule)))


def ensure_schedule(tx: Transaction, schedule: Schedule) -> None:
    """There is a schedule of that name; one that a rival has made meanwhile is left as it is."""
    tx.execute(_insert_new(tx.dialect.name), rows.values_of(schedule))


def schedule_by_uuid(tx: Transaction, uuid: str) -> Schedule | None:
    """The schedule of that UUID."""
    return rows.fetch_one(tx, Schedule, _select_by("uuid"), {"uuid": uuid})


def lock_schedule(tx: Transaction, schedule_id: int) -> Schedule | None:
    """The schedule, and no other transaction changes it until this one ends."""
    return rows.fetch_one(tx, Schedule, _select_by("id").with_for_update(), {"id": schedule_id})


def find_schedule(tx: Transaction, project_id: int, name: str, *, branch: str = "") -> Schedule | None:
    """The project's schedule of that name, of those people made or those the config on a branch asks for."""
    values = {"project_id": project_id, "branch": branch, "name": name}
    return rows.fetch_one(tx, Schedule, _select_by(*values), values)


def list_schedules(
    tx: Transaction, project_id: int, *, branch: str = "", after: int = 0, limit: int = 100
) -> list[Schedule]:
    """The project's schedules of that kind, oldest first, those with an id above `after`."""
    table = schedules.c
    page = _select_by("project_id", "branch").where(table.id > after).order_by(table.id).limit(limit)
    return rows.fetch_all(tx, Schedule, page, {"project_id": project_id, "branch": branch})


def list_every(tx: Transaction, project_id: int, *, after: int = 0, limit: int = 100) -> list[Schedule]:
    """The same, of either kind."""
    table = schedules.c
    page = _select_by("project_id").where(table.id > after).order_by(table.id).limit(limit)
    return rows.fetch_all(tx, Schedule, page, {"project_id": project_id})


def count_schedules(tx: Transaction, project_id: int, *, of_config: bool = False) -> int:
    """How many schedules the project has that people made, or that configs ask for."""
    table = schedules.c
    chosen = select(func.count()).select_from(schedules).where(table.project_id == project_id)
    kind = chosen.where(table.branch != "" if of_config else table.branch == "")
    return int(tx.execute(kind).scalar_one())


def update_schedules(tx: Transaction, changes: Sequence[ScheduleChange]) -> None:
    """Write the set fields of each."""
    rows.apply_changes(tx, schedules, changes)


def delete_schedule(tx: Transaction, schedule_id: int) -> None:
    """The schedule is gone."""
    tx.execute(delete(schedules).where(schedules.c.id == schedule_id))


def take_due(tx: Transaction, now: int, *, limit: int) -> list[Schedule]:
    """Schedules that are due, longest due first; nobody else gets them until the transaction ends.

    A rival's are passed over. They stay due until `next_at` is changed.
    """
    return rows.fetch_all(tx, Schedule, _take_due(), {"now": now, "count": limit})


def next_due(tx: Transaction) -> int | None:
    """When the next schedule is due, None when none is."""
    due: int | None = tx.execute(_next_due()).scalar_one()
    return due


def take_ahead(tx: Transaction, instant: int, *, limit: int) -> list[Schedule]:
    """Schedules that were armed after the instant, locked as those of `take_due`."""
    return rows.fetch_all(tx, Schedule, _take_ahead(), {"instant": instant, "count": limit})


def last_armed(tx: Transaction) -> int | None:
    """When the last of all schedules was armed, None without any."""
    last: int | None = tx.execute(_last_armed()).scalar_one()
    return last


def note_outcome(tx: Transaction, uuid: str, fired_at: int, *, pipeline: str = "", outcome: str = "") -> None:
    """The schedule says what became of that firing, unless another one was due since."""
    values = {"of": uuid, "at": fired_at, "made": pipeline, "why": outcome}
    tx.execute(_note_outcome(), values)


@cache
def _insert_new(dialect: str) -> Executable:
    named = ["project_id", "branch", "name"]
    return insert_into(dialect, schedules).on_conflict_do_nothing(index_elements=named)


@cache
def _select_by(*by: str) -> Select[Any]:
    conditions = (schedules.c[name] == bindparam(name) for name in by)
    return select(*rows.columns_of(schedules, Schedule)).where(*conditions)


@cache
def _take_due() -> Executable:
    table = schedules.c
    due = _select_by().where(table.next_at <= bindparam("now")).order_by(table.next_at, table.id)
    return due.limit(bindparam("count")).with_for_update(skip_locked=True)


@cache
def _next_due() -> Executable:
    return select(func.min(schedules.c.next_at))


@cache
def _take_ahead() -> Executable:
    table = schedules.c
    ahead = _select_by().where(table.armed_at > bindparam("instant")).order_by(table.armed_at, table.id)
    return ahead.limit(bindparam("count")).with_for_update(skip_locked=True)


@cache
def _last_armed() -> Executable:
    return select(func.max(schedules.c.armed_at))


@cache
def _note_outcome() -> Executable:
    table = schedules.c
    chosen = update(schedules).where(table.uuid == bindparam("of"), table.fired_at == bindparam("at"))
    made = {
        name: bindparam(key, type_=table[name].type)
        for name, key in (("pipeline", "made"), ("outcome", "why"))
    }
    return chosen.values(made)
