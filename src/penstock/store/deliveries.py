"""Hook deliveries that were heard, so that none is heard twice."""

from functools import cache

from sqlalchemy import Executable, bindparam, delete, select

from penstock.store.database import Transaction
from penstock.store.schema import hook_deliveries
from penstock.store.upserts import insert_into


def remember_delivery(tx: Transaction, host: str, delivery: str, *, now: int) -> bool:
    """True when the host's delivery of that id is new; it is not the next time.

    Two transactions never both get True: the second waits for the first.
    """
    values = {"host": host, "delivery": delivery, "received_at": now}
    return tx.execute(_insert(tx.dialect.name), values).first() is not None


def has_older(tx: Transaction, before: int) -> bool:
    """True when a delivery is remembered that came before the instant."""
    old = select(hook_deliveries.c.host).where(hook_deliveries.c.received_at < before)
    return tx.execute(old.limit(1)).first() is not None


def forget_deliveries(tx: Transaction, before: int, *, limit: int = 1000) -> int:
    """Forget deliveries that came before the instant, a bounded number of them; returns how many."""
    old = select(hook_deliveries.c.host, hook_deliveries.c.delivery)
    chosen = tx.execute(
        old.where(hook_deliveries.c.received_at < before).order_by(hook_deliveries.c.received_at).limit(limit)
    )
    forgotten = [{"of_host": host, "of_delivery": delivery} for host, delivery in chosen]
    if forgotten:
        tx.execute(_delete(), forgotten)
    return len(forgotten)


@cache
def _insert(dialect: str) -> Executable:
    new = insert_into(dialect, hook_deliveries).on_conflict_do_nothing()
    return new.returning(hook_deliveries.c.host)


@cache
def _delete() -> Executable:
    table = hook_deliveries.c
    return delete(hook_deliveries).where(
        table.host == bindparam("of_host"), table.delivery == bindparam("of_delivery")
    )
