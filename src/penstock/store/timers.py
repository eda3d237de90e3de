"""Instants at which something must be looked at again: time limits, delays before a retry."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import Executable, bindparam, delete, func, select

from penstock.store import rows
from penstock.store.database import Transaction
from penstock.store.schema import timers
from penstock.store.upserts import insert_into


class Timer(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is due at an instant; one subject has at most one timer of a kind."""

    id: int
    kind: str
    subject: str
    due_at: int
    payload: Any


def set_timer(
    tx: Transaction, kind: str, subject: str, *, due_at: int, payload: Mapping[str, Any] | None = None
) -> None:
    """The subject's timer of that kind is set to the instant; one that was set before is replaced."""
    values = {"kind": kind, "subject": subject, "due_at": due_at, "payload": dict(payload or {})}
    tx.execute(_upsert(tx.dialect.name), values)


def cancel_timers(tx: Transaction, subject: str, *, kind: str | None = None) -> None:
    """The subject has no timer (of that kind) afterwards."""
    chosen = delete(timers).where(timers.c.subject == subject)
    tx.execute(chosen if kind is None else chosen.where(timers.c.kind == kind))


def take_due(tx: Transaction, now: int, *, limit: int = 50) -> list[Timer]:
    """Remove and return timers that are due, longest due first.

    What they ask for must be done in the same transaction: a rollback brings them back. A rival's are
    passed over.
    """
    taken = rows.fetch_all(tx, Timer, _take(), {"now": now, "count": limit})
    return sorted(taken, key=lambda timer: (timer.due_at, timer.id))


def next_due(tx: Transaction) -> int | None:
    """When the next timer is due, None when none is set."""
    due: int | None = tx.execute(_next_due()).scalar_one()
    return due


@cache
def _upsert(dialect: str) -> Executable:
    statement = insert_into(dialect, timers)
    return statement.on_conflict_do_update(
        index_elements=["subject", "kind"],
        set_={name: statement.excluded[name] for name in ("due_at", "payload")},
    )


@cache
def _take() -> Executable:
    due = (
        select(timers.c.id).where(timers.c.due_at <= bindparam("now")).order_by(timers.c.due_at, timers.c.id)
    )
    first = due.limit(bindparam("count")).with_for_update(skip_locked=True).cte("first")
    chosen = delete(timers).where(timers.c.id.in_(select(first.c.id)))
    return chosen.returning(*rows.columns_of(timers, Timer))


@cache
def _next_due() -> Executable:
    return select(func.min(timers.c.due_at))
