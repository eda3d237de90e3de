"""Contexts: named sets of variables that an organization shares; the variables are in `variables`."""

from functools import cache
from typing import Any

import msgspec
from sqlalchemy import Select, bindparam, delete, func, select

from penstock.kit.ids import new_id
from penstock.store import rows
from penstock.store.database import Transaction
from penstock.store.schema import contexts


class StoredContext(msgspec.Struct, frozen=True, kw_only=True):
    """A context without its variables."""

    id: int
    uuid: str
    organization_id: int
    name: str
    created_at: int


def create_context(tx: Transaction, organization_id: int, name: str, *, now: int) -> StoredContext:
    """A new, empty context. Raises ConflictError when the organization has one of that name."""
    record = StoredContext(id=0, uuid=new_id(), organization_id=organization_id, name=name, created_at=now)
    return msgspec.structs.replace(record, id=rows.insert_row(tx, contexts, rows.values_of(record)))


def find_context(tx: Transaction, organization_id: int, name: str) -> StoredContext | None:
    """The organization's context of that name."""
    values = {"organization_id": organization_id, "name": name}
    return rows.fetch_one(tx, StoredContext, _select_by("organization_id", "name"), values)


def context_by_uuid(tx: Transaction, uuid: str) -> StoredContext | None:
    """The context of that UUID."""
    return rows.fetch_one(tx, StoredContext, _select_by("uuid"), {"uuid": uuid})


def list_contexts(
    tx: Transaction, organization_id: int, *, after: int = 0, limit: int = 1000
) -> list[StoredContext]:
    """The organization's contexts, oldest first, those with an id above `after`."""
    statement = (
        _select_by("organization_id").where(contexts.c.id > after).order_by(contexts.c.id).limit(limit)
    )
    return rows.fetch_all(tx, StoredContext, statement, {"organization_id": organization_id})


def count_contexts(tx: Transaction, organization_id: int) -> int:
    """How many contexts the organization has."""
    mine = contexts.c.organization_id == organization_id
    return int(tx.execute(select(func.count()).select_from(contexts).where(mine)).scalar_one())


def delete_context(tx: Transaction, context_id: int) -> None:
    """Remove the context with its variables."""
    tx.execute(delete(contexts).where(contexts.c.id == context_id))


@cache
def _select_by(*by: str) -> Select[Any]:
    conditions = (contexts.c[name] == bindparam(name) for name in by)
    return select(*rows.columns_of(contexts, StoredContext)).where(*conditions)
