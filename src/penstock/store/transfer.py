"""All rows of one database in another, empty one, of either kind: how backups move."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Boolean, Table

from penstock.model.errors import RefusedError, UnavailableError
from penstock.store.database import Database, Transaction
from penstock.store.schema import metadata

_AT_ONCE = 2000
"""Rows in memory at a time."""


def copy_rows(source: Database, target: Database) -> int:
    """The target holds each row the source held at one moment; returns how many.

    Both have the present schema. Nothing is changed when something fails. Raises RefusedError when the target
    holds rows already.
    """
    with source.moment() as old, target.write() as new:
        check_empty(new)
        return sum(_copy_table(old, new, table) for table in metadata.sorted_tables)


def check_empty(tx: Transaction) -> None:
    """No table has a row. Raises RefusedError when one has."""
    for table in metadata.sorted_tables:
        if tx.exec_driver_sql(f"SELECT 1 FROM {_quote(table.name)} LIMIT 1").first() is not None:  # noqa: S608 - a name of our own
            raise RefusedError("the database is not empty: name one that is")


def _copy_table(old: Transaction, new: Transaction, table: Table) -> int:
    names = [_quote(column.name) for column in table.columns]
    order = ", ".join(_quote(column.name) for column in table.primary_key)
    rows = old.execution_options(stream_results=True).exec_driver_sql(
        f"SELECT {', '.join(names)} FROM {_quote(table.name)} ORDER BY {order}"  # noqa: S608 - names of our own
    )
    truths = [number for number, column in enumerate(table.columns) if isinstance(column.type, Boolean)]
    count = 0
    for piece in rows.partitions(_AT_ONCE):
        _insert(new, table, names, [_convert(row, truths) for row in piece])
        count += len(piece)
    return count


def _convert(row: Sequence[Any], truths: Sequence[int]) -> tuple[Any, ...]:
    """The row as drivers take it; SQLite gives truth values as numbers."""
    if not truths:
        return tuple(row)
    values = list(row)
    for number in truths:
        values[number] = None if values[number] is None else bool(values[number])
    return tuple(values)


def _insert(tx: Transaction, table: Table, names: Sequence[str], rows: list[tuple[Any, ...]]) -> None:
    place = f"{_quote(table.name)} ({', '.join(names)})"
    if tx.dialect.name == "sqlite":
        marks = ", ".join("?" * len(names))
        tx.exec_driver_sql(f"INSERT INTO {place} VALUES ({marks})", rows)  # noqa: S608 - names of our own
        return
    connection: Any = tx.connection.driver_connection
    try:
        with connection.cursor() as cursor, cursor.copy(f"COPY {place} FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
    except tx.dialect.loaded_dbapi.Error as error:
        raise UnavailableError(f"the database does not take the rows of {table.name}: {error}") from error
    if "id" in table.primary_key.columns:
        _advance(tx, table)


def _advance(tx: Transaction, table: Table) -> None:
    """The next row of the table gets an id above all those copied."""
    place = _quote(table.name)
    tx.exec_driver_sql(f"SELECT setval(pg_get_serial_sequence('{place}', 'id'), max(id)) FROM {place}")  # noqa: S608 - a name of our own


def _quote(name: str) -> str:
    """The name as SQL has it, reserved words too."""
    return f'"{name}"'
