"""Named locks of an organization: one holder, the others wait in the order they came.

A job holds a lock by its key in its workflow; a workflow that waits in a queue has the job key "".
"""

from functools import cache

import msgspec
from sqlalchemy import Executable, bindparam, delete, func, select, update

from penstock.store import rows
from penstock.store.database import Transaction
from penstock.store.schema import locks, pipelines, workflows
from penstock.store.upserts import insert_into

_OWNER = ("organization_id", "name", "workflow_id", "job_key")


class LockEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who holds a lock or waits for it; a smaller id came earlier."""

    id: int
    organization_id: int
    name: str
    workflow_id: int
    job_key: str
    held: bool
    created_at: int


class LockOwner(msgspec.Struct, frozen=True, kw_only=True):
    """Who wants which lock."""

    organization_id: int
    name: str
    workflow_id: int
    job_key: str = ""


def acquire_lock(tx: Transaction, owner: LockOwner, *, now: int) -> bool:
    """True when the owner holds the lock afterwards, False when it waits. Asking twice changes nothing."""
    _serialize(tx, owner.organization_id, owner.name)
    queue = list_entries(tx, owner.organization_id, owner.name)
    for entry in queue:
        if (entry.workflow_id, entry.job_key) == (owner.workflow_id, owner.job_key):
            return entry.held
    held = not queue
    values = msgspec.structs.asdict(owner) | {"held": held, "created_at": now}
    tx.execute(_insert(tx.dialect.name), values)
    return held


def release_lock(tx: Transaction, owner: LockOwner) -> LockEntry | None:
    """The owner neither holds nor awaits the lock afterwards.

    Returns who holds it from now on, None when that has not changed or nobody does.
    """
    _serialize(tx, owner.organization_id, owner.name)
    values = msgspec.structs.asdict(owner)
    held = tx.execute(_delete(), values).scalar_one_or_none()
    return _grant_next(tx, owner.organization_id, owner.name) if held else None


def release_all(tx: Transaction, workflow_id: int) -> list[LockEntry]:
    """The workflow and its jobs hold and await nothing; returns those who hold a lock from now on."""
    chosen = select(*rows.columns_of(locks, LockEntry)).where(locks.c.workflow_id == workflow_id)
    mine = rows.fetch_all(
        tx, LockEntry, chosen.order_by(locks.c.organization_id, locks.c.name, locks.c.id), {}
    )
    # Those who wait go first, so that the workflow does not hand a lock to itself.
    mine.sort(key=lambda entry: entry.held)
    granted = (release_lock(tx, _owner_of(entry)) for entry in mine)
    return [entry for entry in granted if entry is not None]


def list_entries(tx: Transaction, organization_id: int, name: str) -> list[LockEntry]:
    """The holder and those who wait, in the order they came."""
    return rows.fetch_all(
        tx, LockEntry, _select_entries(), {"organization_id": organization_id, "name": name}
    )


def has_newer(tx: Transaction, organization_id: int, name: str, *, project_id: int, number: int) -> bool:
    """True when a job of a later pipeline of the project holds the lock or waits for it."""
    values = {"organization_id": organization_id, "name": name, "project_id": project_id, "number": number}
    return tx.execute(_select_newer(), values).first() is not None


def entries_of(tx: Transaction, workflow_id: int) -> list[LockEntry]:
    """What the workflow and its jobs hold or await."""
    chosen = select(*rows.columns_of(locks, LockEntry)).where(locks.c.workflow_id == workflow_id)
    return rows.fetch_all(tx, LockEntry, chosen.order_by(locks.c.id), {})


def _serialize(tx: Transaction, organization_id: int, name: str) -> None:
    """On PostgreSQL, rivals for one name come one after the other, else a grant could miss a waiter."""
    if tx.dialect.name == "postgresql":
        key = func.hashtextextended(name, organization_id)
        tx.execute(select(func.pg_advisory_xact_lock(key)))


def _grant_next(tx: Transaction, organization_id: int, name: str) -> LockEntry | None:
    queue = list_entries(tx, organization_id, name)
    if not queue:
        return None
    tx.execute(update(locks).where(locks.c.id == queue[0].id).values(held=True))
    return msgspec.structs.replace(queue[0], held=True)


def _owner_of(entry: LockEntry) -> LockOwner:
    return LockOwner(
        organization_id=entry.organization_id,
        name=entry.name,
        workflow_id=entry.workflow_id,
        job_key=entry.job_key,
    )


@cache
def _insert(dialect: str) -> Executable:
    return insert_into(dialect, locks)


@cache
def _delete() -> Executable:
    return delete(locks).where(*(locks.c[name] == bindparam(name) for name in _OWNER)).returning(locks.c.held)


@cache
def _select_newer() -> Executable:
    chosen = select(locks.c.id).join_from(locks, workflows, workflows.c.id == locks.c.workflow_id)
    joined = chosen.join(pipelines, pipelines.c.id == workflows.c.pipeline_id)
    newer = joined.where(
        locks.c.organization_id == bindparam("organization_id"),
        locks.c.name == bindparam("name"),
        locks.c.job_key != "",
        pipelines.c.project_id == bindparam("project_id"),
        pipelines.c.number > bindparam("number"),
    )
    return newer.limit(1)


@cache
def _select_entries() -> Executable:
    chosen = select(*rows.columns_of(locks, LockEntry))
    named = chosen.where(
        locks.c.organization_id == bindparam("organization_id"), locks.c.name == bindparam("name")
    )
    return named.order_by(locks.c.id)
