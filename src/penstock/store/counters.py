"""Numbers that count from 1 in a project and are given out once."""

from enum import StrEnum
from functools import cache

from sqlalchemy import UpdateBase

from penstock.store.database import Transaction
from penstock.store.schema import counters
from penstock.store.upserts import insert_into


class CounterKind(StrEnum):
    """What is counted; each kind has its own row of numbers in each project."""

    PIPELINE = "pipeline"
    JOB = "job"


def allocate_numbers(tx: Transaction, project_id: int, kind: CounterKind, count: int = 1) -> range:
    """The next `count` numbers, the caller's alone once the transaction commits.

    Two transactions never get the same one: the second waits for the first. A rollback gives the
    numbers back.
    """
    values = {"project_id": project_id, "kind": kind, "value": count}
    last = tx.execute(_allocate(tx.dialect.name), values).scalar_one()
    return range(last - count + 1, last + 1)


def next_number(tx: Transaction, project_id: int, kind: CounterKind) -> int:
    """The next number, the caller's alone once the transaction commits."""
    return allocate_numbers(tx, project_id, kind)[0]


@cache
def _allocate(dialect: str) -> UpdateBase:
    insert = insert_into(dialect, counters)
    return insert.on_conflict_do_update(
        index_elements=["project_id", "kind"],
        set_={"value": counters.c.value + insert.excluded.value},
    ).returning(counters.c.value)
