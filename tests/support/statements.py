"""The SQL that a piece of work sends, and how the database would go about it."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from penstock.store.database import Database, Transaction

Statement = tuple[str, Any]

_VERBS = {"SELECT", "INSERT", "UPDATE", "DELETE", "WITH W", "WITH R", "WITH F"}

PARTIAL = (
    "pipelines_owned",
    "workflows_open",
    "tasks_queued",
    "outbox_due",
    "webhook_deliveries_due",
    "agents",
    "projects_deleted",
    "organizations_deleted",
)
"""What holds only rows that wait for something, or one for each agent: to walk it is no walk of past runs."""


@contextmanager
def recorded(tx: Transaction) -> Iterator[list[Statement]]:
    """Every statement that the transaction executes inside, with its first set of parameters."""
    seen: list[Statement] = []

    def note(_c: object, _k: object, sql: str, values: Any, _x: object, many: bool) -> None:  # noqa: ANN401, FBT001 - SQLAlchemy's signature
        seen.append((sql, values[0] if many else values))

    event.listen(tx, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(tx, "before_cursor_execute", note)


@contextmanager
def recorded_everywhere(db: Database) -> Iterator[list[Statement]]:
    """Every statement that is executed inside, in whatever transaction, with its first set of parameters."""
    seen: list[Statement] = []

    def note(_c: object, _k: object, sql: str, values: Any, _x: object, many: bool) -> None:  # noqa: ANN401, FBT001 - SQLAlchemy's signature
        seen.append((sql, values[0] if many else values))

    event.listen(db._engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(db._engine, "before_cursor_execute", note)


def explain_all(db: Database, statements: Iterable[Statement]) -> list[str]:
    """The plan of each statement that reads or writes rows, as if the tables were large."""
    with db.read() as tx:
        if not db.is_sqlite:
            tx.exec_driver_sql("SET LOCAL enable_seqscan = off")
        return [
            explain(db, tx, sql, values) for sql, values in statements if sql.lstrip()[:6].upper() in _VERBS
        ]


def plans_of(db: Database, work: Callable[[Transaction], object]) -> list[str]:
    """The plan of each statement that the work executes, as lines of text; the work itself is undone."""
    with db.write() as tx:
        if not db.is_sqlite:
            tx.exec_driver_sql(
                "SET LOCAL enable_seqscan = off"
            )  # tests have too few rows for an index to pay
        with recorded(tx) as seen:
            work(tx)
        plans = [explain(db, tx, sql, values) for sql, values in seen]
        tx.rollback()
        return plans


def explain(db: Database, tx: Transaction, sql: str, values: Any) -> str:  # noqa: ANN401 - a driver's parameters
    """How the database would execute the statement."""
    if not db.is_sqlite:
        return "\n".join(str(row[0]) for row in tx.exec_driver_sql("EXPLAIN " + sql, values))
    return "\n".join(str(row[3]) for row in tx.exec_driver_sql("EXPLAIN QUERY PLAN " + sql, values))


def walks_of(plan: str) -> list[str]:
    """The lines of a plan in which a whole table is read."""
    lines = re.findall(r"^.*(?:\bSCAN\b|Seq Scan).*$", plan, re.MULTILINE)
    return [
        line
        for line in lines
        if not re.search(r"SCAN (\w+ )?(first|waiting|newest|CONSTANT|\(subquery)", line)
        and not any(name in line for name in PARTIAL)
    ]
