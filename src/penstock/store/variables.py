"""Sealed values by name: the variables of contexts and of projects. Only names are listed."""

from functools import cache

import msgspec
from sqlalchemy import ColumnElement, Executable, Table, UpdateBase, bindparam, delete, func, select

from penstock.model.errors import RefusedError
from penstock.store.columns import clean_text
from penstock.store.database import Transaction
from penstock.store.schema import context_variables, project_variables
from penstock.store.sealing import Sealer
from penstock.store.upserts import insert_into


class VariableInfo(msgspec.Struct, frozen=True, kw_only=True):
    """All that is shown of a variable."""

    name: str
    created_at: int
    updated_at: int


class Holder(msgspec.Struct, frozen=True):
    """Who has variables: made by `of_context` and `of_project`."""

    table: str
    column: str
    id: int


_TABLES = {table.name: table for table in (context_variables, project_variables)}


def of_context(context_id: int) -> Holder:
    """The context of that row id as a holder of variables."""
    return Holder(context_variables.name, "context_id", context_id)


def of_project(project_id: int) -> Holder:
    """The project of that row id as a holder of variables."""
    return Holder(project_variables.name, "project_id", project_id)


def set_variable(
    tx: Transaction, sealer: Sealer, holder: Holder, name: str, value: str, *, now: int
) -> VariableInfo:
    """The variable has the value afterwards; one that existed keeps the time of its making."""
    values = {
        holder.column: holder.id,
        "name": name,
        "sealed": sealer.seal(value.encode("utf-8", "surrogatepass"), place_value(holder, name)),
        "created_at": now,
        "updated_at": now,
    }
    created_at = tx.execute(_upsert(tx.dialect.name, holder.table, holder.column), values).scalar_one()
    return VariableInfo(name=name, created_at=created_at, updated_at=now)


def list_variables(
    tx: Transaction, holder: Holder, *, after: str = "", limit: int = 1000
) -> list[VariableInfo]:
    """The holder's variables by name, those that come after the given one, without values."""
    table, mine = _rows_of(holder)
    chosen = select(table.c.name, table.c.created_at, table.c.updated_at)
    page = chosen.where(mine, table.c.name > after).order_by(table.c.name).limit(limit)
    return [
        VariableInfo(name=name, created_at=created_at, updated_at=updated_at)
        for name, created_at, updated_at in tx.execute(page)
    ]


def has_variable(tx: Transaction, holder: Holder, name: str) -> bool:
    """True when the holder has a variable of that name."""
    table, mine = _rows_of(holder)
    return tx.execute(select(table.c.name).where(mine, table.c.name == name)).first() is not None


def count_variables(tx: Transaction, holder: Holder) -> int:
    """How many variables the holder has."""
    table, mine = _rows_of(holder)
    return int(tx.execute(select(func.count()).select_from(table).where(mine)).scalar_one())


def open_variables(tx: Transaction, sealer: Sealer, holder: Holder) -> dict[str, str]:
    """All of the holder's variables with their plain values, for a task about to run.

    Raises RefusedError, which names the variable, when one cannot be opened.
    """
    sealed = tx.execute(_select_sealed(holder.table, holder.column), {"holder": holder.id})
    return {name: _open_value(sealer, value, holder, name) for name, value in sealed}


def delete_variable(tx: Transaction, holder: Holder, name: str) -> bool:
    """True when the variable existed; it does not afterwards."""
    table, mine = _rows_of(holder)
    return tx.execute(delete(table).where(mine, table.c.name == name)).rowcount == 1


def _rows_of(holder: Holder) -> tuple[Table, ColumnElement[bool]]:
    table = _TABLES[holder.table]
    return table, table.c[holder.column] == holder.id


def _open_value(sealer: Sealer, sealed: bytes, holder: Holder, name: str) -> str:
    try:
        return sealer.open(sealed, place_value(holder, name)).decode("utf-8", "surrogatepass")
    except RefusedError as error:
        raise RefusedError(f"the variable {name} cannot be opened: {error}") from error


def place_value(holder: Holder, name: str) -> str:
    """What the value of the holder's variable is sealed for."""
    return f"{holder.table}/{holder.id}/{clean_text(name)}"


@cache
def _upsert(dialect: str, name: str, column: str) -> UpdateBase:
    table = _TABLES[name]
    statement = insert_into(dialect, table)
    return statement.on_conflict_do_update(
        index_elements=[column, "name"],
        set_={field: statement.excluded[field] for field in ("sealed", "updated_at")},
    ).returning(table.c.created_at)


@cache
def _select_sealed(name: str, column: str) -> Executable:
    table = _TABLES[name]
    return select(table.c.name, table.c.sealed).where(table.c[column] == bindparam("holder"))
