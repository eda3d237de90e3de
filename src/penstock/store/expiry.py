"""Finds pipelines that are old enough to go, and what of theirs lies in the blob store."""

from functools import cache

import msgspec
from sqlalchemy import Executable, bindparam, exists, select

from penstock.store import rows
from penstock.store.database import Transaction
from penstock.store.schema import jobs, pipelines, tasks, workflows


class Aged(msgspec.Struct, frozen=True, kw_only=True):
    """A pipeline by its age."""

    id: int
    created_at: int
    updated_at: int


def list_aged(tx: Transaction, *, after: int = 0, limit: int = 100) -> list[Aged]:
    """Pipelines oldest first, those with an id above `after`."""
    return rows.fetch_all(tx, Aged, _select_oldest(), {"after": after, "limit": limit})


def is_open(tx: Transaction, pipeline_id: int) -> bool:
    """True when a workflow of the pipeline has not ended."""
    return bool(tx.execute(_select_open(), {"pipeline": pipeline_id}).scalar_one())


def list_tasks(tx: Transaction, pipeline_id: int) -> list[str]:
    """The UUIDs of all tasks of the pipeline: their blobs lie in folders of these names."""
    return list(tx.execute(_select_tasks(), {"pipeline": pipeline_id}).scalars())


@cache
def _select_oldest() -> Executable:
    chosen = select(*rows.columns_of(pipelines, Aged)).where(pipelines.c.id > bindparam("after"))
    return chosen.order_by(pipelines.c.id).limit(bindparam("limit"))


@cache
def _select_open() -> Executable:
    mine = workflows.c.pipeline_id == bindparam("pipeline")
    return select(exists().where(mine, workflows.c.stopped_at.is_(None)))


@cache
def _select_tasks() -> Executable:
    joined = select(tasks.c.uuid).join(jobs, jobs.c.id == tasks.c.job_id)
    whole = joined.join(workflows, workflows.c.id == jobs.c.workflow_id)
    return whole.where(workflows.c.pipeline_id == bindparam("pipeline"))
