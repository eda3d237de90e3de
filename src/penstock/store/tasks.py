"""Tasks: what an agent takes, runs and reports, each event once."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import Executable, Select, bindparam, select

from penstock.model.run import Task
from penstock.model.status import Reason, TaskStatus
from penstock.model.usage import Used
from penstock.store import rows
from penstock.store.database import Transaction
from penstock.store.schema import jobs, tasks


class TaskChange(msgspec.Struct, kw_only=True):
    """What may change about a task; unset fields stay as they are. A terminal task holds no lease."""

    id: int
    status: TaskStatus | msgspec.UnsetType = msgspec.UNSET
    reason: Reason | msgspec.UnsetType = msgspec.UNSET
    lease_until: int | msgspec.UnsetType | None = msgspec.UNSET
    started_at: int | msgspec.UnsetType | None = msgspec.UNSET
    stopped_at: int | msgspec.UnsetType | None = msgspec.UNSET
    message: str | msgspec.UnsetType = msgspec.UNSET
    last_sequence: int | msgspec.UnsetType = msgspec.UNSET  # events up to it are taken in
    used: Used | msgspec.UnsetType = msgspec.UNSET


class HeldTask(msgspec.Struct, frozen=True, kw_only=True):
    """A task about to change: whose it is and the last event that was heard of it."""

    task: Task
    last_sequence: int
    workflow_id: int
    project_id: int


class Placement(msgspec.Struct, frozen=True, kw_only=True):
    """Where a task belongs, found before anything is locked."""

    task_id: int
    job_id: int
    workflow_id: int
    project_id: int


def insert_tasks(
    tx: Transaction, made: Sequence[Task], *, labels: Iterable[str], priority: int
) -> list[Task]:
    """Store tasks of one job and attempt; they come back with row ids, in the same order.

    Queued ones may be claimed, by agents that carry all of the labels, as soon as the transaction
    commits. Raises ConflictError when the job has such an attempt already.
    """
    extra = {"priority": priority, "queue_key": queue_key(labels)}
    return [
        msgspec.structs.replace(task, id=rows.insert_row(tx, tasks, rows.values_of(task) | extra))
        for task in made
    ]


ORGANIZATION = "organization="
"""How the label begins that says for whom a task is run, or whom alone an agent serves."""


def organization_label(organization_id: int) -> str:
    """The label of the organization of that row id."""
    return f"{ORGANIZATION}{organization_id}"


def queue_key(labels: Iterable[str]) -> str:
    """The canonical text of a set of labels: sorted, each ended by a newline."""
    return "".join(f"{label}\n" for label in sorted(set(labels)))


def get_task(tx: Transaction, task_id: int) -> Task | None:
    """The task of that row id."""
    return rows.fetch_one(tx, Task, _select_tasks("id"), {"id": task_id})


def task_by_uuid(tx: Transaction, uuid: str) -> Task | None:
    """The task of that UUID."""
    return rows.fetch_one(tx, Task, _select_tasks("uuid"), {"uuid": uuid})


def tasks_of(tx: Transaction, job_id: int, *, attempt: int | None = None) -> list[Task]:
    """The job's tasks of one attempt by index, or of all attempts, oldest first."""
    if attempt is None:
        return rows.fetch_all(tx, Task, _select_tasks("job_id"), {"job_id": job_id})
    values = {"job_id": job_id, "attempt": attempt}
    return rows.fetch_all(tx, Task, _select_tasks("job_id", "attempt"), values)


def place_task(tx: Transaction, uuid: str) -> Placement | None:
    """Which job, workflow and project the task belongs to, so that the workflow can be locked first."""
    return rows.fetch_one(tx, Placement, _select_placement(), {"uuid": uuid})


def lock_task(tx: Transaction, uuid: str) -> HeldTask | None:
    """The task; no other transaction locks or changes it until this one ends."""
    row = tx.execute(_select_locked(), {"uuid": uuid}).first()
    if row is None:
        return None
    *columns, last_sequence, workflow_id, project_id = row
    return HeldTask(
        task=rows.build(Task, columns),
        last_sequence=last_sequence,
        workflow_id=workflow_id,
        project_id=project_id,
    )


def update_tasks(tx: Transaction, changes: Iterable[TaskChange]) -> None:
    """Write the set fields of each."""
    rows.apply_changes(tx, tasks, changes)


@cache
def _select_tasks(*by: str) -> Select[Any]:
    conditions = (tasks.c[name] == bindparam(name) for name in by)
    return select(*rows.columns_of(tasks, Task)).where(*conditions).order_by(tasks.c.attempt, tasks.c.index)


@cache
def _select_placement() -> Executable:
    chosen = select(tasks.c.id, tasks.c.job_id, jobs.c.workflow_id, jobs.c.project_id)
    return chosen.join_from(tasks, jobs, jobs.c.id == tasks.c.job_id).where(tasks.c.uuid == bindparam("uuid"))


@cache
def _select_locked() -> Executable:
    columns = rows.columns_of(tasks, Task)
    chosen = select(*columns, tasks.c.last_sequence, jobs.c.workflow_id, jobs.c.project_id)
    joined = chosen.join_from(tasks, jobs, jobs.c.id == tasks.c.job_id)
    return joined.where(tasks.c.uuid == bindparam("uuid")).with_for_update(of=tasks)
