"""Rows become structs and structs become rows: a column has the name of its field."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

import msgspec
from sqlalchemy import (
    Column,
    Connection,
    Executable,
    Insert,
    Table,
    TextClause,
    bindparam,
    insert,
    text,
    update,
)

from penstock.kit.shapes import learn

S = TypeVar("S", bound=msgspec.Struct)


def columns_of(table: Table, kind: type[msgspec.Struct]) -> list[Column[Any]]:
    """The table's columns that the struct has fields for, in the order of the fields."""
    return [table.c[name] for name in kind.__struct_fields__]


def build(kind: type[S], row: Sequence[Any]) -> S:
    """The struct made of a row that was selected with `columns_of(table, kind)`."""
    return msgspec.convert(dict(zip(kind.__struct_fields__, row, strict=True)), learn(kind))


def values_of(record: msgspec.Struct) -> dict[str, Any]:
    """The row a struct asks for, without `id`, which the database gives."""
    values = msgspec.structs.asdict(record)
    values.pop("id", None)
    return values


def fetch_all(tx: Connection, kind: type[S], statement: Executable, values: Mapping[str, Any]) -> list[S]:
    """Every row as a struct."""
    return [build(kind, row) for row in tx.execute(statement, values)]


def fetch_one(tx: Connection, kind: type[S], statement: Executable, values: Mapping[str, Any]) -> S | None:
    """The first row as a struct, None when there is none."""
    row = tx.execute(statement, values).first()
    return None if row is None else build(kind, row)


def fetch_present(tx: Connection, kind: type[S], statement: Executable, values: Mapping[str, Any]) -> S:
    """The one row as a struct. Raises sqlalchemy's NoResultFound when there is none, which is our bug."""
    return build(kind, tx.execute(statement, values).one())


def apply_changes(tx: Connection, table: Table, changes: Iterable[msgspec.Struct]) -> None:
    """Write the set fields of each change to the row of its `id`; unset fields stay as they are.

    Changes that set the same fields travel together in one executemany.
    """
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for change in changes:
        values = {
            f"new_{name}": value
            for name, value in msgspec.structs.asdict(change).items()
            if value is not msgspec.UNSET
        }
        groups.setdefault(tuple(values), []).append(values)
    for names, group in groups.items():
        fields = [name.removeprefix("new_") for name in names if name != "new_id"]
        if fields:
            tx.execute(_update_of(table, tuple(fields)), group if len(group) > 1 else group[0])


_updates: dict[tuple[str, tuple[str, ...]], Executable] = {}


def _update_of(table: Table, fields: tuple[str, ...]) -> Executable:
    """The statement for one set of fields, built once: building costs more than running it."""
    key = (table.name, fields)
    statement = _updates.get(key)
    if statement is None:
        assignments = {name: bindparam(f"new_{name}", type_=table.c[name].type) for name in fields}
        statement = update(table).where(table.c.id == bindparam("new_id")).values(assignments)
        _updates[key] = statement
    return statement


def insert_row(tx: Connection, table: Table, values: Mapping[str, Any]) -> int:
    """Insert one row and return its id."""
    return int(tx.execute(_insert_of(table), values).scalar_one())


def insert_rows(tx: Connection, table: Table, values: Sequence[Mapping[str, Any]]) -> None:
    """Insert many rows that name the same columns, in one executemany; nothing happens for none."""
    if values:
        tx.execute(_bulk_insert_of(table), values)


def literally(condition: str) -> TextClause:
    """A condition with its value in the text, which both databases need to see that a partial index fits."""
    return text(condition)


@cache
def _insert_of(table: Table) -> Insert:
    return insert(table).returning(table.c.id)


@cache
def _bulk_insert_of(table: Table) -> Insert:
    return insert(table)
