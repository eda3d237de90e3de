"""Follow-ups of workflows: offered, then started once."""

from collections.abc import Mapping
from enum import StrEnum
from functools import cache

import msgspec
from sqlalchemy import Executable, bindparam, select, update

from penstock.kit.ids import new_id
from penstock.store import rows
from penstock.store.database import Transaction
from penstock.store.schema import followups, workflows


class FollowUpStatus(StrEnum):
    """How far a follow-up has come; what its workflow did is said by the workflow."""

    HELD = "held"  # its condition holds, a person must start it
    STARTED = "started"
    FAILED = "failed"  # its workflow could not be made


class FollowUpRun(msgspec.Struct, frozen=True, kw_only=True):
    """One use of a follow-up of the plan; `target` is the UUID of the workflow it made."""

    id: int
    uuid: str
    workflow_id: int
    name: str
    status: FollowUpStatus
    actor: str
    parameters: dict[str, str | int | bool]
    target: str | None
    created_at: int
    started_at: int | None


class FollowUpChange(msgspec.Struct, kw_only=True):
    """What may change about a follow-up; unset fields stay as they are."""

    id: int
    status: FollowUpStatus | msgspec.UnsetType = msgspec.UNSET
    actor: str | msgspec.UnsetType = msgspec.UNSET
    parameters: dict[str, str | int | bool] | msgspec.UnsetType = msgspec.UNSET
    target: str | msgspec.UnsetType | None = msgspec.UNSET
    started_at: int | msgspec.UnsetType | None = msgspec.UNSET


def insert_followup(
    tx: Transaction,
    workflow_id: int,
    name: str,
    *,
    status: FollowUpStatus,
    now: int,
    actor: str = "",
    parameters: Mapping[str, str | int | bool] | None = None,
) -> FollowUpRun:
    """Note that a follow-up of the workflow is offered or started."""
    record = FollowUpRun(
        id=0,
        uuid=new_id(),
        workflow_id=workflow_id,
        name=name,
        status=status,
        actor=actor,
        parameters=dict(parameters or {}),
        target=None,
        created_at=now,
        started_at=now if status is FollowUpStatus.STARTED else None,
    )
    return msgspec.structs.replace(record, id=rows.insert_row(tx, followups, rows.values_of(record)))


def start_followup(tx: Transaction, followup_id: int, *, actor: str, now: int) -> bool:
    """True when it was held and is started from now on; False when somebody else was first."""
    values = {"followup": followup_id, "who": actor, "now": now}
    return tx.execute(_start(), values).rowcount == 1


def update_followup(tx: Transaction, change: FollowUpChange) -> None:
    """Write the set fields."""
    rows.apply_changes(tx, followups, [change])


def followups_of(tx: Transaction, workflow_id: int) -> list[FollowUpRun]:
    """The uses of the workflow's follow-ups, oldest first."""
    return rows.fetch_all(tx, FollowUpRun, _select_by("workflow_id"), {"workflow_id": workflow_id})


def targets_in(tx: Transaction, pipeline_id: int) -> list[FollowUpRun]:
    """The follow-ups of the pipeline's workflows that have made a workflow, oldest first."""
    return rows.fetch_all(tx, FollowUpRun, _select_targets(), {"pipeline_id": pipeline_id})


def followup_by_uuid(tx: Transaction, uuid: str) -> FollowUpRun | None:
    """The follow-up of that UUID."""
    return rows.fetch_one(tx, FollowUpRun, _select_by("uuid"), {"uuid": uuid})


def followup_to(tx: Transaction, target: str) -> FollowUpRun | None:
    """The follow-up that made the workflow of that UUID, None when it came from elsewhere."""
    return rows.fetch_one(tx, FollowUpRun, _select_by("target"), {"target": target})


@cache
def _start() -> Executable:
    chosen = update(followups).where(
        followups.c.id == bindparam("followup"), followups.c.status == FollowUpStatus.HELD.value
    )
    return chosen.values(
        status=FollowUpStatus.STARTED.value,
        actor=bindparam("who", type_=followups.c.actor.type),
        started_at=bindparam("now"),
    )


@cache
def _select_targets() -> Executable:
    chosen = select(*rows.columns_of(followups, FollowUpRun))
    joined = chosen.join_from(followups, workflows, workflows.c.id == followups.c.workflow_id)
    made = joined.where(workflows.c.pipeline_id == bindparam("pipeline_id"), followups.c.target.is_not(None))
    return made.order_by(followups.c.id)


@cache
def _select_by(name: str) -> Executable:
    chosen = select(*rows.columns_of(followups, FollowUpRun))
    return chosen.where(followups.c[name] == bindparam(name)).order_by(followups.c.id)
