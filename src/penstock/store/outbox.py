"""Work that a transaction promised to do after it: written with it, done at least once.

Letters of one kind and subject are taken one after the other, in the order they were written.
"""

from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Executable, bindparam, delete, exists, func, insert, select, update

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


def append_letter(tx: Transaction, kind: str, subject: str, payload: Mapping[str, Any], *, now: int) -> int:
    """Promise the work in this transaction, to be done from now on; returns its id.

    Behind an older one of its kind and subject that was postponed it is due when that is: nobody looks at it
    before, however many there are.
    """
    values = {"of_kind": kind, "about": subject, "what": dict(payload), "now": now}
    return int(tx.execute(_append(), values).scalar_one())


def take_due(
    tx: Transaction, kinds: Collection[str], now: int, *, lease_until: int, limit: int = 50
) -> list[Letter]:
    """Letters of these kinds that are due, longest due first, which nobody else gets before `lease_until`.

    One that is not `finish`ed by then is due again: its taker is taken for dead. Until it is finished, no
    later one of its kind and subject is taken.
    """
    values = {"kinds": sorted(kinds), "now": now, "until": lease_until, "count": limit}
    return sorted(rows.fetch_all(tx, Letter, _take(), values), key=lambda letter: letter.id)


def finish_letter(tx: Transaction, letter: Letter) -> None:
    """The promise is kept, or given up for good; the next letter of its subject is due."""
    tx.execute(_finish(), {"letter": letter.id})
    tx.execute(_release(), {"letter": letter.id, "of_kind": letter.kind, "about": letter.subject})


def keep_letter(tx: Transaction, letter: Letter, *, until: int) -> bool:
    """True when it is still the taker's, and stays so until then."""
    mine = {"letter": letter.id, "taken": letter.attempts, "until": until}
    return tx.execute(_keep(), mine).first() is not None


def postpone_letter(tx: Transaction, letter: Letter, *, due_at: int, error: str) -> None:
    """It did not work; to be tried again from `due_at` on, and those behind it after it.

    Nothing changes for a taker who was taken for dead: the letter is another's, who is at work on it.
    """
    mine = {"letter": letter.id, "taken": letter.attempts, "due": due_at, "why": error}
    if tx.execute(_postpone(), mine).first() is None:
        return
    behind = {"letter": letter.id, "of_kind": letter.kind, "about": letter.subject, "due": due_at}
    tx.execute(_hold_back(), behind)


def hasten_letters(tx: Transaction, kind: str, subject: str, *, now: int) -> None:
    """Letters of the subject that were postponed are due now: what was in their way seems to be gone."""
    tx.execute(_hasten(), {"of_kind": kind, "about": subject, "now": now})


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
def _append() -> Executable:
    older = outbox.alias("older")
    same = (older.c.kind == bindparam("of_kind")) & (older.c.subject == bindparam("about"))
    due = select(func.max(older.c.due_at)).where(same, older.c.error != "").scalar_subquery()
    now = bindparam("now", type_=outbox.c.due_at.type)
    values = {
        "kind": bindparam("of_kind", type_=outbox.c.kind.type),
        "subject": bindparam("about", type_=outbox.c.subject.type),
        "payload": bindparam("what", type_=outbox.c.payload.type),
        "created_at": now,
        "due_at": func.coalesce(due, now),
    }
    return insert(outbox).values(values).returning(outbox.c.id)


@cache
def _keep() -> Executable:
    mine = (outbox.c.id == bindparam("letter"), outbox.c.attempts == bindparam("taken"))
    return update(outbox).where(*mine).values(due_at=bindparam("until")).returning(outbox.c.id)


@cache
def _finish() -> Executable:
    return delete(outbox).where(outbox.c.id == bindparam("letter"))


@cache
def _release() -> Executable:
    return update(outbox).where(_is_behind()).values(due_at=outbox.c.created_at)


@cache
def _postpone() -> Executable:
    mine = (outbox.c.id == bindparam("letter"), outbox.c.attempts == bindparam("taken"))
    chosen = update(outbox).where(*mine)
    chosen = chosen.values(due_at=bindparam("due"), error=bindparam("why", type_=outbox.c.error.type))
    return chosen.returning(outbox.c.id)


@cache
def _hold_back() -> Executable:
    return update(outbox).where(_is_behind()).values(due_at=bindparam("due"))


@cache
def _hasten() -> Executable:
    table = outbox.c
    same = (table.kind == bindparam("of_kind")) & (table.subject == bindparam("about"))
    late = (table.due_at > bindparam("now")) & (table.error != "")
    return update(outbox).where(same, late).values(due_at=bindparam("now"))


def _is_behind() -> ColumnElement[bool]:
    """Of the same kind and subject, and later."""
    table = outbox.c
    same = (table.kind == bindparam("of_kind")) & (table.subject == bindparam("about"))
    return same & (table.id > bindparam("letter"))


@cache
def _next_due() -> Executable:
    in_order = select(outbox.c.due_at).where(_is_wanted()).order_by(outbox.c.due_at, outbox.c.id)
    return in_order.limit(1)
