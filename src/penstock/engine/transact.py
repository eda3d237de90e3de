"""Runs a use case: one transaction, then what follows from it."""

from collections.abc import Callable
from typing import TypeVar

from penstock.engine.unit import Parts, Unit
from penstock.store.database import Transaction

T = TypeVar("T")


def transact(parts: Parts, work: Callable[[Unit], T]) -> T:
    """What `work` returned, after everything it wrote was committed together.

    It is called anew when the database gives a transaction up, so it must keep all its effects in the
    unit. Watchers hear of the changes, and agents of new work, only after the commit.
    """
    units: list[Unit] = []

    def attempt(tx: Transaction) -> T:
        units.append(Unit(parts, tx))
        return work(units[-1])

    result = parts.db.retry(attempt)
    done = units[-1]
    parts.feed.publish(done.changes)
    if done.wake:
        parts.signal.notify()
    if done.posted:
        parts.post.call(done.posted)
    for action in done.afterwards:
        action()
    return result
