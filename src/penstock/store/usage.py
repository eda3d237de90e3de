"""What job runs used: one row for each, beside what those of a workflow have in common.

The rows are kept when pipelines and projects go, and go with the organization or when they are old.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Executable,
    bindparam,
    case,
    cast,
    delete,
    func,
    or_,
    select,
    tuple_,
    update,
)

from penstock.model.usage import Used
from penstock.store import rows
from penstock.store.database import Transaction
from penstock.store.schema import organizations, tasks, usage_runs, usage_workflows
from penstock.store.upserts import insert_into


class UsageWorkflow(msgspec.Struct, frozen=True, kw_only=True):
    """What the runs of one workflow have in common; `id` is the workflow's.

    `queued_at` and `started_at` are those of the first of its jobs, as far as they have ended. `stopped_at`
    and `status` are unset until the workflow ends.
    """

    id: int
    organization_id: int
    uuid: str
    name: str
    project: str  # UUID
    project_name: str
    project_slug: str
    url: str
    project_created_at: int
    branch: str
    pipeline: str  # UUID
    pipeline_number: int
    pipeline_created_at: int
    trigger: str
    actor: str
    queued_at: int | None
    started_at: int | None
    stopped_at: int | None = None
    status: str = ""


class UsageRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a job: an attempt that an agent began. Times are in milliseconds.

    `worked` is how long its parallel copies ran together, `used` how busy they were, when that is known.
    """

    organization_id: int
    workflow_id: int
    job: str  # UUID
    number: int | None
    name: str
    status: str
    resource_class: str
    executor: str
    parallelism: int
    queued_at: int | None
    started_at: int
    stopped_at: int
    worked: int
    used: Used | None = None


class UsageRow(msgspec.Struct, frozen=True, gc=False):
    """A run as an export has it; the names of what belongs to the workflow begin with `workflow`."""

    id: int
    workflow_id: int
    job: str
    number: int | None
    name: str
    status: str
    resource_class: str
    executor: str
    parallelism: int
    queued_at: int | None
    started_at: int
    stopped_at: int
    worked: int
    cpu_median: int | None
    cpu_max: int | None
    ram_median: int | None
    ram_max: int | None
    workflow: str
    workflow_name: str
    project: str
    project_name: str
    project_slug: str
    url: str
    project_created_at: int
    branch: str
    pipeline: str
    pipeline_number: int
    pipeline_created_at: int
    trigger: str
    actor: str
    workflow_queued_at: int | None
    workflow_started_at: int | None
    workflow_stopped_at: int | None
    workflow_status: str


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """When a parallel copy ran, and how busy it was."""

    started_at: int | None
    stopped_at: int | None
    used: Used | None


class Total(msgspec.Struct, frozen=True, kw_only=True):
    """What the runs of a project on one resource class come to."""

    project: str
    project_name: str
    executor: str
    resource_class: str
    runs: int
    worked: int


def note_workflow(tx: Transaction, workflow: UsageWorkflow) -> None:
    """The workflow is known; if it was, only when its jobs began may become earlier."""
    tx.execute(_upsert(tx.dialect.name), msgspec.structs.asdict(workflow))


def note_run(tx: Transaction, run: UsageRun) -> None:
    """The run is kept."""
    values = msgspec.structs.asdict(run)
    used = values.pop("used")
    shares = {name: None if used is None else getattr(used, name) for name in Used.__struct_fields__}
    rows.insert_rows(tx, usage_runs, [values | shares])


def end_workflow(tx: Transaction, workflow_id: int, *, status: str, stopped_at: int) -> None:
    """The workflow, if one of its jobs has run, ended so."""
    tx.execute(_end(), {"workflow": workflow_id, "how": status, "when": stopped_at})


def spans_of(tx: Transaction, job_id: int, *, attempt: int) -> list[Span]:
    """The copies of an attempt of a job."""
    return rows.fetch_all(tx, Span, _select_spans(), {"job_id": job_id, "attempt": attempt})


def read_page(
    tx: Transaction, organization_id: int, *, after: tuple[int, int], until: int, limit: int
) -> list[UsageRow]:
    """Runs in the order of their start and row id, behind such a pair, that began no later than `until`."""
    instant, row_id = after
    values = {"owner": organization_id, "instant": instant, "after": row_id, "until": until, "count": limit}
    return [UsageRow(*row) for row in tx.execute(_select_page(), values)]


def last_ends(tx: Transaction, organization_id: int) -> dict[str, int]:
    """When the last workflow of each project ended, by the project's UUID."""
    found = tx.execute(_select_ends(), {"owner": organization_id})
    return {project: stopped_at for project, stopped_at in found if stopped_at is not None}


def organization_made(tx: Transaction, organization_id: int) -> int:
    """When the organization was made."""
    chosen = select(organizations.c.created_at).where(organizations.c.id == organization_id)
    return int(tx.execute(chosen).scalar_one())


def list_totals(
    tx: Transaction,
    organization_id: int,
    *,
    span: tuple[int, int],
    after: tuple[str, str, str] = ("", "", ""),
    limit: int = 1000,
) -> list[Total]:
    """What ran, by project, executor and resource class, behind such three; of runs begun in the span."""
    project, executor, resource_class = after
    values = {"owner": organization_id, "first": span[0], "last": span[1], "count": limit}
    behind = {"project": project, "executor": executor, "class": resource_class}
    return rows.fetch_all(tx, Total, _select_totals(), values | behind)


def forget_usage(tx: Transaction, before: int, *, limit: int = 5000) -> int:
    """Forget runs that ended before the instant, oldest first, a bounded number; returns how many.

    With the last of them go the workflows.
    """
    old = select(usage_runs.c.id, usage_runs.c.stopped_at).order_by(usage_runs.c.id).limit(limit)
    ids = [row_id for row_id, stopped_at in tx.execute(old) if stopped_at < before]
    if ids:
        tx.execute(delete(usage_runs).where(usage_runs.c.id <= max(ids), usage_runs.c.stopped_at < before))
    if len(ids) < limit:
        flow = usage_workflows.c
        first = select(flow.id, flow.stopped_at).order_by(flow.id).limit(limit)
        aged = [row_id for row_id, stopped_at in tx.execute(first) if stopped_at and stopped_at < before]
        tx.execute(delete(usage_workflows).where(flow.id.in_(aged)))
    return len(ids)


def forget_organization(tx: Transaction, organization_id: int, *, limit: int = 5000) -> int:
    """Forget what an organization used, a bounded number of rows; returns how many."""
    for table in (usage_runs, usage_workflows):
        mine = select(table.c.id).where(table.c.organization_id == organization_id).limit(limit)
        ids = list(tx.execute(mine).scalars())
        if ids:
            tx.execute(delete(table).where(table.c.id.in_(ids)))
            return len(ids)
    return 0


@cache
def _upsert(dialect: str) -> Executable:
    new = insert_into(dialect, usage_workflows)
    mine, its = usage_workflows.c, new.excluded
    earlier = {
        name: case((or_(mine[name].is_(None), its[name] < mine[name]), its[name]), else_=mine[name])
        for name in ("queued_at", "started_at")
    }
    return new.on_conflict_do_update(index_elements=["id"], set_=earlier)


@cache
def _end() -> Executable:
    chosen = update(usage_workflows).where(usage_workflows.c.id == bindparam("workflow"))
    return chosen.values(status=bindparam("how"), stopped_at=bindparam("when"))


@cache
def _select_spans() -> Executable:
    mine = (tasks.c.job_id == bindparam("job_id"), tasks.c.attempt == bindparam("attempt"))
    return select(*rows.columns_of(tasks, Span)).where(*mine).order_by(tasks.c.index)


@cache
def _select_page() -> Executable:
    """The runs of the page are chosen before their workflows are looked for, whatever a planner believes."""
    run, flow = usage_runs.c, usage_workflows.c
    behind = tuple_(run.started_at, run.id) > tuple_(bindparam("instant"), bindparam("after"))
    mine = (run.organization_id == bindparam("owner"), behind, run.started_at <= bindparam("until"))
    own = [run[name] for name in UsageRow.__struct_fields__[:_OWN]]
    chosen = select(*own).where(*mine).order_by(run.started_at, run.id).limit(bindparam("count"))
    page = chosen.subquery("page")
    shared = [flow[_NAMES.get(name, name)] for name in UsageRow.__struct_fields__[_OWN:]]
    joined = page.join(usage_workflows, flow.id == page.c.workflow_id)
    whole = select(*page.c, *shared).select_from(joined)
    return whole.order_by(page.c.started_at, page.c.id)


_OWN = UsageRow.__struct_fields__.index("workflow")  # so many fields are of the run itself
_NAMES = {
    "workflow": "uuid",
    "workflow_name": "name",
    "workflow_queued_at": "queued_at",
    "workflow_started_at": "started_at",
    "workflow_stopped_at": "stopped_at",
    "workflow_status": "status",
}


@cache
def _select_ends() -> Executable:
    flow = usage_workflows.c
    chosen = select(flow.project, func.max(flow.stopped_at))
    return chosen.where(flow.organization_id == bindparam("owner")).group_by(flow.project)


@cache
def _select_totals() -> Executable:
    run, flow = usage_runs.c, usage_workflows.c
    named: Sequence[Any] = (flow.project, run.executor, run.resource_class)
    counted = (func.count().label("runs"), cast(func.sum(run.worked), BigInteger).label("worked"))
    joined = usage_runs.join(usage_workflows, flow.id == run.workflow_id)
    chosen = select(
        flow.project, func.max(flow.project_name), run.executor, run.resource_class, *counted
    ).select_from(joined)
    within = run.started_at.between(bindparam("first"), bindparam("last"))
    behind = tuple_(*named) > tuple_(bindparam("project"), bindparam("executor"), bindparam("class"))
    mine = chosen.where(run.organization_id == bindparam("owner"), within, behind)
    return mine.group_by(*named).order_by(*named).limit(bindparam("count"))
