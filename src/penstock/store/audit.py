"""The audit log: entries are added and read, never changed."""

from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, select

from penstock.model.audit import AuditEntry
from penstock.store import rows
from penstock.store.database import Transaction
from penstock.store.schema import audit_log


def append_entry(tx: Transaction, entry: AuditEntry) -> None:
    """The entry is stored when the transaction commits; its `id` is ignored."""
    rows.insert_row(tx, audit_log, rows.values_of(entry))


def list_entries(
    tx: Transaction, *, organization: str | None = None, before: int | None = None, limit: int = 100
) -> list[AuditEntry]:
    """Entries newest first, of the organization of that UUID or of all, those with an id below `before`."""
    given = {"organization": organization, "before": before}
    values = {name: value for name, value in given.items() if value is not None}
    return rows.fetch_all(tx, AuditEntry, _select_page(frozenset(values)), values | {"limit": limit})


@cache
def _select_page(given: frozenset[str]) -> Select[Any]:
    table = audit_log.c
    conditions = {
        "organization": table.organization == bindparam("organization"),
        "before": table.id < bindparam("before"),
    }
    chosen = select(*rows.columns_of(audit_log, AuditEntry)).order_by(table.id.desc())
    return chosen.where(*(conditions[name] for name in sorted(given))).limit(bindparam("limit"))
