"""Work that a transaction promised to do after it: written with it, done at least once.

Letters of one kind and subject are taken one after the other, in the order they were written.
"""

from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Executable, bindparam, delete, exists, select, update

from penstock.store import rows
from penstock.store.database import Transaction
from penstock.store.schema import outbox


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """One promise; `attempts` counts how often it was taken, this time included."""

    id: int
    kind: str
    subject: str
    payload: Any
    created_at: int
    due_at: int
    attempts: int
    error: str


def append_letter(
    tx: Transaction,
    kind: str,
    subject: str,
    payload: Mapping[str, Any],
    *,
    now: int,
    due_at: int | None = None,
) -> int:
    """Promise the work in this transaction, to be done from `due_at` on (default: now); returns its id."""
    values = {
        "kind": kind,
        "subject": subject,
        "payload": dict(payload),
        "created_at": now,
        "due_at": now if due_at is None else due_at,
    }
    return rows.insert_row(tx, outbox, values)


def take_due(
    tx: Transaction, kinds: Collection[str], now: int, *, lease_until: int, limit: int = 50
) -> list[Letter]:
    """Letters of these kinds that are due, longest due first, which nobody else gets before `lease_until`.

    One that is not `finish`ed by then is due again: its taker is taken for dead. Until it is finished, no
    later one of its kind and subject is taken.
    """
    values = {"kinds": sorted(kinds), "now": now, "until": lease_until, "count": limit}
    return sorted(rows.fetch_all(tx, Letter, _take(), values), key=lambda letter: letter.id)


def finish_letter(tx: Transaction, letter_id: int) -> None:
    """The promise is kept, or given up for good."""
    tx.execute(_finish(), {"letter": letter_id})


def postpone_letter(tx: Transaction, letter_id: int, *, due_at: int, error: str) -> None:
    """It did not work; to be tried again from `due_at` on."""
    tx.execute(_postpone(), {"letter": letter_id, "due": due_at, "why": error})


def next_due(tx: Transaction, kinds: Collection[str]) -> int | None:
    """When the next letter of these kinds is due that waits for no other, None when there is none."""
    due: int | None = tx.execute(_next_due(), {"kinds": sorted(kinds)}).scalar_one_or_none()
    return due


@cache
def _take() -> Executable:
    due = (
        select(outbox.c.id)
        .where(_is_wanted(), outbox.c.due_at <= bindparam("now"))
        .order_by(outbox.c.due_at, outbox.c.id)
    )
    first = due.limit(bindparam("count")).with_for_update(skip_locked=True, of=outbox).cte("first")
    chosen = update(outbox).where(outbox.c.id.in_(select(first.c.id)))
    taken = chosen.values(due_at=bindparam("until"), attempts=outbox.c.attempts + 1)
    return taken.returning(*rows.columns_of(outbox, Letter))


def _is_wanted() -> ColumnElement[bool]:
    """Of the kinds that are asked for, and the first of its subject."""
    older = outbox.alias("older")
    same = (older.c.kind == outbox.c.kind) & (older.c.subject == outbox.c.subject)
    is_next = exists().where(same & (older.c.id < outbox.c.id))
    return outbox.c.kind.in_(bindparam("kinds", expanding=True)) & ~is_next


@cache
def _finish() -> Executable:
    return delete(outbox).where(outbox.c.id == bindparam("letter"))


@cache
def _postpone() -> Executable:
    chosen = update(outbox).where(outbox.c.id == bindparam("letter"))
    return chosen.values(due_at=bindparam("due"), error=bindparam("why", type_=outbox.c.error.type))


@cache
def _next_due() -> Executable:
    in_order = select(outbox.c.due_at).where(_is_wanted()).order_by(outbox.c.due_at, outbox.c.id)
    return in_order.limit(1)
