"""What was decided by policies: entries are added and read, and go with the pipeline they are about."""

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import delete, select

from penstock.store import rows
from penstock.store.database import Transaction
from penstock.store.schema import policy_decisions

PAGE = 20
"""Entries of a page (CircleCI API v2: GetDecisionLogs)."""


class StoredDecision(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the log; `decision` and `metadata` are plain data, times milliseconds since the epoch."""

    id: int
    uuid: str
    organization_id: int
    bundle_id: int | None
    pipeline_id: int | None
    created_at: int
    status: str
    branch: str
    project: str
    build_number: str
    decision: dict[str, Any]
    metadata: dict[str, Any]
    time_taken_ms: int


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries are wanted; what is None or "" does not matter. Both instants are left out themselves."""

    status: str = ""
    after: int | None = None
    before: int | None = None
    branch: str = ""
    project: str = ""
    build_number: str = ""


def add_decision(tx: Transaction, entry: StoredDecision) -> int:
    """The entry's row id; its `id` is ignored."""
    return rows.insert_row(tx, policy_decisions, rows.values_of(entry))


def list_decisions(
    tx: Transaction, organization_id: int, wanted: Filter, *, offset: int = 0
) -> list[StoredDecision]:
    """A page of the organization's entries, newest first."""
    table = policy_decisions.c
    conditions = [table.organization_id == organization_id]
    words = ("status", "branch", "project", "build_number")
    conditions += [table[name] == value for name in words if (value := getattr(wanted, name))]
    if wanted.after is not None:
        conditions.append(table.created_at > wanted.after)
    if wanted.before is not None:
        conditions.append(table.created_at < wanted.before)
    chosen = select(*rows.columns_of(policy_decisions, StoredDecision)).where(*conditions)
    page = chosen.order_by(table.id.desc()).limit(PAGE).offset(offset)
    return [rows.build(StoredDecision, row) for row in tx.execute(page)]


def find_decision(tx: Transaction, organization_id: int, uuid: str) -> StoredDecision | None:
    """The organization's entry of that UUID."""
    table = policy_decisions.c
    chosen = select(*rows.columns_of(policy_decisions, StoredDecision)).where(
        table.uuid == uuid, table.organization_id == organization_id
    )
    row = tx.execute(chosen).first()
    return rows.build(StoredDecision, row) if row is not None else None


def decisions_of(tx: Transaction, pipeline_id: int, status: str) -> list[Mapping[str, Any]]:
    """The decisions about a pipeline that came down to this, oldest first."""
    table = policy_decisions.c
    chosen = select(table.decision).where(table.pipeline_id == pipeline_id, table.status == status)
    return list(tx.execute(chosen.order_by(table.id)).scalars())


def trim_questions(tx: Transaction, organization_id: int, *, keep: int) -> None:
    """Of entries that are about no pipeline only the newest are left."""
    table = policy_decisions.c
    mine = (table.organization_id == organization_id, table.pipeline_id.is_(None))
    oldest = select(table.id).where(*mine).order_by(table.id.desc()).limit(1).offset(keep)
    last = tx.execute(oldest).scalar_one_or_none()
    if last is not None:
        tx.execute(delete(policy_decisions).where(*mine, table.id <= last))
