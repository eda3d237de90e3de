"""Exports of what was used: asked for, made, given away for some days, and forgotten."""

from enum import StrEnum
from functools import cache

import msgspec
from sqlalchemy import Executable, bindparam, delete, select, update

from penstock.store import rows
from penstock.store.database import Transaction
from penstock.store.schema import usage_calls, usage_exports


class ExportState(StrEnum):
    """How far an export has come: created -> processing -> completed or failed."""

    CREATED = "created"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"

    @property
    def is_terminal(self) -> bool:
        """True when nothing about it will change."""
        return self in {ExportState.COMPLETED, ExportState.FAILED}


class Part(msgspec.Struct, frozen=True):
    """A file of an export in the blob store, and its bytes."""

    blob: str
    size: int


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """An export of the runs of some organizations that began from `start_at` to `end_at`.

    It belongs to the first of them, the one it was asked for. `attempt` numbers who makes it at present.
    """

    id: int
    uuid: str
    organization_id: int
    organizations: tuple[int, ...]
    start_at: int
    end_at: int
    state: ExportState
    created_at: int
    attempt: int = 0
    error: str = ""
    parts: tuple[Part, ...] = ()


def add_export(tx: Transaction, export: Export) -> None:
    """The export is asked for."""
    rows.insert_row(tx, usage_exports, rows.values_of(export))


def export_by_uuid(tx: Transaction, uuid: str) -> Export | None:
    """The export of that UUID."""
    return rows.fetch_one(tx, Export, _select_export(), {"uuid": uuid})


def begin_export(tx: Transaction, uuid: str, *, attempt: int) -> Export | None:
    """The export, which is being made by this attempt; None when it has ended or is forgotten."""
    values = {"which": uuid, "number": attempt}
    return rows.fetch_one(tx, Export, _begin(), values)


def end_export(tx: Transaction, export: Export) -> bool:
    """True when the attempt was the one that makes the export: its state, error and parts are kept then."""
    values = {
        "which": export.uuid,
        "number": export.attempt,
        "how": export.state,
        "why": export.error,
        "made": msgspec.to_builtins(export.parts),
    }
    return tx.execute(_end(), values).first() is not None


def forget_exports(tx: Transaction, before: int) -> None:
    """Exports that were asked for before the instant are forgotten; their blobs are orphans then."""
    tx.execute(delete(usage_exports).where(usage_exports.c.created_at < before))


def known_exports(tx: Transaction) -> set[str]:
    """The UUIDs of all exports."""
    return set(tx.execute(select(usage_exports.c.uuid)).scalars())


def list_calls(tx: Transaction, organization_id: int, verb: str, *, since: int) -> list[int]:
    """When such calls were made after the instant, oldest first; those before it are forgotten."""
    values = {"owner": organization_id, "kind": verb, "since": since}
    tx.execute(_forget_calls(), values)
    return list(tx.execute(_select_calls(), values).scalars())


def note_call(tx: Transaction, organization_id: int, verb: str, *, now: int) -> None:
    """A call was made."""
    rows.insert_row(tx, usage_calls, {"organization_id": organization_id, "verb": verb, "at": now})


@cache
def _select_export() -> Executable:
    chosen = select(*rows.columns_of(usage_exports, Export))
    return chosen.where(usage_exports.c.uuid == bindparam("uuid"))


@cache
def _begin() -> Executable:
    open_states = [ExportState.CREATED.value, ExportState.PROCESSING.value]
    mine = (usage_exports.c.uuid == bindparam("which"), usage_exports.c.state.in_(open_states))
    begun = update(usage_exports).where(*mine)
    begun = begun.values(state=ExportState.PROCESSING.value, attempt=bindparam("number"))
    return begun.returning(*rows.columns_of(usage_exports, Export))


@cache
def _end() -> Executable:
    table = usage_exports.c
    mine = (
        table.uuid == bindparam("which"),
        table.attempt == bindparam("number"),
        table.state == ExportState.PROCESSING.value,
    )
    ended = update(usage_exports).where(*mine)
    ended = ended.values(
        state=bindparam("how"),
        error=bindparam("why", type_=table.error.type),
        parts=bindparam("made", type_=table.parts.type),
    )
    return ended.returning(table.id)


@cache
def _select_calls() -> Executable:
    table = usage_calls.c
    mine = (table.organization_id == bindparam("owner"), table.verb == bindparam("kind"))
    return select(table.at).where(*mine, table.at > bindparam("since")).order_by(table.at)


@cache
def _forget_calls() -> Executable:
    table = usage_calls.c
    mine = (table.organization_id == bindparam("owner"), table.verb == bindparam("kind"))
    return delete(usage_calls).where(*mine, table.at <= bindparam("since"))
