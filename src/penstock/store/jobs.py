"""Jobs: light rows for the state machine, whole ones for people, plans on demand."""

from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from typing import Any

import msgspec
from sqlalchemy import Executable, Select, bindparam, select, union_all

from penstock.model.run import Job
from penstock.model.status import JobStatus, Reason
from penstock.plan.plan import encode
from penstock.plan.workflow import JobPlan
from penstock.store import rows
from penstock.store.database import Transaction
from penstock.store.packing import pack, unpack
from penstock.store.schema import job_plans, jobs, pipelines, workflows

FAR_BACK = 200
"""How many numbers before a job its predecessor on the branch may be and still be found."""


class JobState(msgspec.Struct, frozen=True, kw_only=True):
    """As much of a job as its state machine needs; `flags` is what it remembers beside the columns."""

    id: int
    uuid: str
    key: str
    status: JobStatus
    reason: Reason
    attempt: int
    flags: dict[str, Any]


class JobChange(msgspec.Struct, kw_only=True):
    """What may change about a job; unset fields stay as they are."""

    id: int
    status: JobStatus | msgspec.UnsetType = msgspec.UNSET
    reason: Reason | msgspec.UnsetType = msgspec.UNSET
    attempt: int | msgspec.UnsetType = msgspec.UNSET
    number: int | msgspec.UnsetType | None = msgspec.UNSET
    queued_at: int | msgspec.UnsetType | None = msgspec.UNSET
    started_at: int | msgspec.UnsetType | None = msgspec.UNSET
    stopped_at: int | msgspec.UnsetType | None = msgspec.UNSET
    message: str | msgspec.UnsetType = msgspec.UNSET
    approved_by: str | msgspec.UnsetType = msgspec.UNSET
    canceled_by: str | msgspec.UnsetType = msgspec.UNSET
    flags: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


_decode_plan = msgspec.json.Decoder(JobPlan).decode


def insert_jobs(tx: Transaction, made: Sequence[tuple[Job, JobPlan]]) -> list[Job]:
    """Store the jobs of one workflow with their plans; they come back with row ids, in the same order.

    Numbers come from `counters`. Raises ConflictError when a key or number is taken.
    """
    if not made:
        return []
    rows.insert_rows(tx, jobs, [rows.values_of(job) for job, _ in made])
    found = tx.execute(_select_ids(), {"workflow_id": made[0][0].workflow_id})
    ids: dict[str, int] = {uuid: row_id for uuid, row_id in found}  # noqa: C416 - rows are no tuples to mypy
    plans = [{"job_id": ids[job.uuid], "plan": pack(encode(plan))} for job, plan in made]
    rows.insert_rows(tx, job_plans, plans)
    return [msgspec.structs.replace(job, id=ids[job.uuid]) for job, _ in made]


def states_of(tx: Transaction, workflow_id: int) -> list[JobState]:
    """The state of every job of the workflow, in the order of the plan, in one query."""
    return rows.fetch_all(tx, JobState, _select_states(), {"workflow_id": workflow_id})


def update_jobs(tx: Transaction, changes: Iterable[JobChange]) -> None:
    """Write the set fields of each; changes that set the same fields are one executemany."""
    rows.apply_changes(tx, jobs, changes)


def get_job(tx: Transaction, job_id: int) -> Job | None:
    """The job of that row id."""
    return rows.fetch_one(tx, Job, _select_jobs("id"), {"id": job_id})


def job_by_uuid(tx: Transaction, uuid: str) -> Job | None:
    """The job of that UUID."""
    return rows.fetch_one(tx, Job, _select_jobs("uuid"), {"uuid": uuid})


def job_by_number(tx: Transaction, project_id: int, number: int) -> Job | None:
    """The job of that number in its project."""
    values = {"project_id": project_id, "number": number}
    return rows.fetch_one(tx, Job, _select_jobs("project_id", "number"), values)


def job_by_key(tx: Transaction, workflow_id: int, key: str) -> Job | None:
    """The job of that key in its workflow."""
    return rows.fetch_one(
        tx, Job, _select_jobs("workflow_id", "key"), {"workflow_id": workflow_id, "key": key}
    )


def flags_of(tx: Transaction, job_id: int) -> dict[str, Any]:
    """What the engine remembers about the job of that row id."""
    return dict(tx.execute(_select_flags(), {"id": job_id}).scalar_one())


def previous_number(tx: Transaction, project_id: int, branch: str, number: int) -> int | None:
    """The largest number below this one that a job on the branch has; None when it lies far back."""
    values = {"project_id": project_id, "branch": branch, "number": number, "least": number - FAR_BACK}
    return tx.execute(_select_previous(), values).scalar_one_or_none()


def jobs_of(tx: Transaction, workflow_id: int) -> list[Job]:
    """The workflow's jobs in the order of the plan."""
    return rows.fetch_all(tx, Job, _select_jobs("workflow_id"), {"workflow_id": workflow_id})


def newest_jobs(tx: Transaction, project_id: int, *, offset: int = 0, limit: int = 30) -> list[Job]:
    """The project's jobs that have a number, highest first, without the first `offset`."""
    values = {"project_id": project_id, "limit": limit, "offset": offset}
    return rows.fetch_all(tx, Job, _select_newest(), values)


def newest_everywhere(
    tx: Transaction, project_ids: Sequence[int], *, offset: int = 0, limit: int = 30
) -> list[Job]:
    """The newest jobs with a number of these projects together (at most 250), without the first `offset`.

    Each project is asked for its own newest ones, so the cost is that of the projects, not of their past.
    """
    if not project_ids:
        return []
    values: dict[str, Any] = {f"p{place}": row_id for place, row_id in enumerate(project_ids)}
    values |= {"reach": offset + limit, "limit": limit, "offset": offset}
    ids = [row_id for (row_id,) in tx.execute(_select_everywhere(len(project_ids)), values)]
    chosen = select(*rows.columns_of(jobs, Job)).where(jobs.c.id.in_(ids)).order_by(jobs.c.id.desc())
    return rows.fetch_all(tx, Job, chosen, {})


def load_plan(tx: Transaction, job_id: int) -> JobPlan:
    """The plan the job was stored with."""
    return _decode_plan(unpack(tx.execute(_select_plan(), {"id": job_id}).scalar_one()))


@cache
def _select_ids() -> Executable:
    return select(jobs.c.uuid, jobs.c.id).where(jobs.c.workflow_id == bindparam("workflow_id"))


@cache
def _select_previous() -> Executable:
    """On the branch are the jobs of its pipelines; only a few numbers are looked at."""
    within = (
        jobs.c.project_id == bindparam("project_id"),
        jobs.c.number < bindparam("number"),
        jobs.c.number >= bindparam("least"),
    )
    above = jobs.join(workflows, jobs.c.workflow_id == workflows.c.id).join(
        pipelines, workflows.c.pipeline_id == pipelines.c.id
    )
    chosen = select(jobs.c.number).select_from(above).where(*within)
    return chosen.where(pipelines.c.branch == bindparam("branch")).order_by(jobs.c.number.desc()).limit(1)


@cache
def _select_flags() -> Executable:
    return select(jobs.c.flags).where(jobs.c.id == bindparam("id"))


@cache
def _select_states() -> Executable:
    chosen = select(*rows.columns_of(jobs, JobState))
    return chosen.where(jobs.c.workflow_id == bindparam("workflow_id")).order_by(jobs.c.id)


@cache
def _select_jobs(*by: str) -> Select[Any]:
    conditions = (jobs.c[name] == bindparam(name) for name in by)
    return select(*rows.columns_of(jobs, Job)).where(*conditions).order_by(jobs.c.id)


@cache
def _select_newest() -> Select[Any]:
    mine = select(*rows.columns_of(jobs, Job)).where(
        jobs.c.project_id == bindparam("project_id"), jobs.c.number.is_not(None)
    )
    return mine.order_by(jobs.c.number.desc()).limit(bindparam("limit")).offset(bindparam("offset"))


@lru_cache(64)
def _select_everywhere(projects: int) -> Executable:
    """The ids of the newest of each project, and of these the newest."""
    parts = []
    for place in range(projects):
        mine = select(jobs.c.id).where(
            jobs.c.project_id == bindparam(f"p{place}"), jobs.c.number.is_not(None)
        )
        newest = mine.order_by(jobs.c.number.desc()).limit(bindparam("reach")).subquery(f"newest_{place}")
        parts.append(select(newest.c.id))
    every = union_all(*parts).subquery("newest")
    page = select(every.c.id).order_by(every.c.id.desc())
    return page.limit(bindparam("limit")).offset(bindparam("offset"))


@cache
def _select_plan() -> Executable:
    return select(job_plans.c.plan).where(job_plans.c.job_id == bindparam("id"))
