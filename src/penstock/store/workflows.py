"""Workflows: the row that lists show, the flags the state machine keeps, and the plan on demand."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import Executable, Select, bindparam, select

from penstock.model.run import Workflow
from penstock.model.status import Reason, WorkflowStatus
from penstock.plan.plan import decode_workflow, encode
from penstock.plan.workflow import WorkflowPlan
from penstock.store import rows
from penstock.store.database import Transaction
from penstock.store.packing import pack, unpack
from penstock.store.schema import pipelines, workflow_plans, workflows


class WorkflowChange(msgspec.Struct, kw_only=True):
    """What may change about a workflow; unset fields stay as they are."""

    id: int
    status: WorkflowStatus | msgspec.UnsetType = msgspec.UNSET
    reason: Reason | msgspec.UnsetType = msgspec.UNSET
    started_at: int | msgspec.UnsetType | None = msgspec.UNSET
    stopped_at: int | msgspec.UnsetType | None = msgspec.UNSET
    flags: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    version: int | msgspec.UnsetType = msgspec.UNSET
    canceled_by: str | msgspec.UnsetType = msgspec.UNSET


class LockedWorkflow(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow about to change, with what its state machine remembers beside the columns.

    `version` is another after each change of the workflow or of one of its jobs.
    """

    workflow: Workflow
    project_id: int
    flags: dict[str, Any]
    version: int


def insert_workflows(
    tx: Transaction, project_id: int, made: Sequence[tuple[Workflow, WorkflowPlan]]
) -> list[Workflow]:
    """Store workflows with their plans and return them with their row ids, in the same order."""
    stored = []
    for workflow, plan in made:
        row_id = rows.insert_row(tx, workflows, rows.values_of(workflow) | {"project_id": project_id})
        stored.append(msgspec.structs.replace(workflow, id=row_id))
        rows.insert_rows(tx, workflow_plans, [{"workflow_id": row_id, "plan": pack(encode(plan))}])
    return stored


def get_workflow(tx: Transaction, workflow_id: int) -> Workflow | None:
    """The workflow of that row id."""
    return rows.fetch_one(tx, Workflow, _select_one("id"), {"id": workflow_id})


def workflow_by_uuid(tx: Transaction, uuid: str) -> Workflow | None:
    """The workflow of that UUID."""
    return rows.fetch_one(tx, Workflow, _select_one("uuid"), {"uuid": uuid})


def lock_workflow(tx: Transaction, workflow_id: int) -> LockedWorkflow | None:
    """The workflow and its flags; no other transaction locks or changes it until this one ends.

    Whoever changes jobs or tasks of a workflow locks the workflow first, so that all lock in one order.
    """
    row = tx.execute(_select_locked(), {"id": workflow_id}).first()
    if row is None:
        return None
    *columns, project_id, flags, version = row
    workflow = rows.build(Workflow, columns)
    return LockedWorkflow(workflow=workflow, project_id=project_id, flags=flags, version=version)


def try_lock(tx: Transaction, workflow_id: int) -> bool:
    """True when the workflow is locked for this transaction; False when another has it locked.

    Never waits, unlike `lock_workflow`.
    """
    return tx.dialect.name == "sqlite" or tx.execute(_select_free(), {"id": workflow_id}).first() is not None


def workflows_of(tx: Transaction, pipeline_id: int) -> list[Workflow]:
    """The pipeline's workflows, oldest first."""
    return rows.fetch_all(tx, Workflow, _select_many("pipeline_id"), {"pipeline_id": pipeline_id})


def versions_of(tx: Transaction, pipeline_id: int) -> list[tuple[int, int]]:
    """Row id and version of each of the pipeline's workflows, oldest first."""
    return [(row[0], row[1]) for row in tx.execute(_select_versions(), {"pipeline_id": pipeline_id})]


def page_of_pipeline(
    tx: Transaction, pipeline_id: int, *, before: int | None = None, limit: int = 20
) -> list[Workflow]:
    """The pipeline's workflows newest first, those with an id below `before`."""
    values = {"pipeline_id": pipeline_id, "before": before or 1 << 62, "limit": limit}
    return rows.fetch_all(tx, Workflow, _select_page("pipeline_id"), values)


def reruns_of(tx: Transaction, uuid: str) -> list[Workflow]:
    """The workflows that name this one as the one they repeat, oldest first."""
    return rows.fetch_all(tx, Workflow, _select_many("rerun_of"), {"rerun_of": uuid})


def open_workflows(
    tx: Transaction, *, project_id: int | None = None, branch: str | None = None
) -> list[Workflow]:
    """Workflows that have not ended, oldest first; `branch` is that of their pipelines."""
    given = {"project_id": project_id, "branch": branch}
    values = {name: value for name, value in given.items() if value is not None}
    found = rows.fetch_all(tx, Workflow, _select_open(frozenset(values)), values)
    return sorted(found, key=lambda workflow: workflow.id)


def list_workflows(
    tx: Transaction, project_id: int, *, before: int | None = None, limit: int = 20
) -> list[Workflow]:
    """The project's workflows newest first, those with an id below `before`."""
    values = {"project_id": project_id, "before": before or 1 << 62, "limit": limit}
    return rows.fetch_all(tx, Workflow, _select_page("project_id"), values)


def update_workflow(tx: Transaction, change: WorkflowChange) -> None:
    """Write the set fields."""
    rows.apply_changes(tx, workflows, [change])


def load_flags(tx: Transaction, workflow_id: int) -> dict[str, Any]:
    """What the state machine remembers beside the columns."""
    return dict(tx.execute(select(workflows.c.flags).where(workflows.c.id == workflow_id)).scalar_one())


def load_plan(tx: Transaction, workflow_id: int) -> WorkflowPlan:
    """The plan the workflow was stored with."""
    return decode_workflow(unpack(tx.execute(_select_plan(), {"id": workflow_id}).scalar_one()))


def _conditions(names: Mapping[str, Any] | Sequence[str]) -> list[Any]:
    return [workflows.c[name] == bindparam(name) for name in names]


@cache
def _select_one(by: str) -> Select[Any]:
    return select(*rows.columns_of(workflows, Workflow)).where(*_conditions([by]))


@cache
def _select_free() -> Select[Any]:
    return select(workflows.c.id).where(*_conditions(["id"])).with_for_update(skip_locked=True)


@cache
def _select_locked() -> Select[Any]:
    columns = rows.columns_of(workflows, Workflow)
    statement = select(*columns, workflows.c.project_id, workflows.c.flags, workflows.c.version)
    return statement.where(*_conditions(["id"])).with_for_update()


@cache
def _select_many(by: str) -> Select[Any]:
    return _select_one(by).order_by(workflows.c.id)


@cache
def _select_versions() -> Executable:
    mine = workflows.c.pipeline_id == bindparam("pipeline_id")
    return select(workflows.c.id, workflows.c.version).where(mine).order_by(workflows.c.id)


@cache
def _select_open(given: frozenset[str]) -> Select[Any]:
    """Open workflows in the order of the index that holds only them, so that it is used."""
    statement = select(*rows.columns_of(workflows, Workflow)).order_by(workflows.c.project_id, workflows.c.id)
    statement = statement.where(rows.literally("workflows.stopped_at IS NULL"))
    if "project_id" in given:
        statement = statement.where(*_conditions(["project_id"]))
    if "branch" in given:
        joined = statement.join_from(workflows, pipelines, pipelines.c.id == workflows.c.pipeline_id)
        statement = joined.where(pipelines.c.branch == bindparam("branch"))
    return statement


@cache
def _select_page(by: str) -> Select[Any]:
    newest = _select_one(by).where(workflows.c.id < bindparam("before"))
    return newest.order_by(workflows.c.id.desc()).limit(bindparam("limit"))


@cache
def _select_plan() -> Executable:
    return select(workflow_plans.c.plan).where(workflow_plans.c.workflow_id == bindparam("id"))
