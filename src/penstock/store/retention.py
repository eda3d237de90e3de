"""What is old enough to go, and which blobs nobody names any more."""

from collections.abc import Collection, Iterable

import msgspec
from sqlalchemy import ColumnElement, Exists, delete, exists, func, select

from penstock.model.status import TaskStatus
from penstock.store.database import Transaction
from penstock.store.pipelines import delete_pipeline, lock_pipeline
from penstock.store.schema import (
    agents,
    artifacts,
    caches,
    jobs,
    log_chunks,
    pipelines,
    tasks,
    workflows,
    workspace_layers,
)

_ENDED = [status.value for status in TaskStatus if status.is_terminal]


class Owner(msgspec.Struct, frozen=True, kw_only=True):
    """The task that a blob was uploaded for, as far as it matters to the blob."""

    task: str  # UUID
    task_id: int
    job_id: int
    workspace: str
    pipeline_id: int
    ended: bool


def finished_pipelines(tx: Transaction, before: int, *, keep: int = 0) -> list[int]:
    """Row ids of pipelines that have ended and changed last before the instant, oldest first.

    The newest `keep` of each project are not among them, nor any that a living command owns.
    """
    newest = func.row_number().over(partition_by=pipelines.c.project_id, order_by=pipelines.c.id.desc())
    ranked = select(
        pipelines.c.id, pipelines.c.owner, pipelines.c.updated_at, newest.label("rank")
    ).subquery()
    chosen = select(ranked.c.id).where(
        ranked.c.rank > keep, ranked.c.updated_at < before, ranked.c.owner == "", ~_has_open(ranked.c.id)
    )
    return list(tx.execute(chosen.order_by(ranked.c.id)).scalars())


def remove_pipeline(tx: Transaction, pipeline_id: int) -> str | None:
    """Nothing is left of the pipeline but blobs; returns its UUID.

    None, and nothing has changed, when it is gone or runs again.
    """
    pipeline = lock_pipeline(tx, pipeline_id)
    still = select(pipelines.c.id).where(
        pipelines.c.id == pipeline_id, pipelines.c.owner == "", ~_has_open(pipelines.c.id)
    )
    if pipeline is None or tx.execute(still).first() is None:
        return None
    delete_pipeline(tx, pipeline_id)
    return pipeline.uuid


def pipeline_names(tx: Transaction, pipeline_ids: Collection[int]) -> list[str]:
    """The UUIDs of the pipelines, oldest first."""
    chosen = select(pipelines.c.uuid).where(pipelines.c.id.in_(list(pipeline_ids)))
    return list(tx.execute(chosen.order_by(pipelines.c.id)).scalars())


def remove_agents(tx: Transaction, prefix: str, before: int) -> int:
    """Forget agents with names that start so, which were seen last before the instant and hold nothing."""
    holds = exists().where(tasks.c.agent_id == agents.c.id, tasks.c.lease_until.is_not(None))
    old = agents.c.name.startswith(prefix, autoescape=True), agents.c.seen_at < before
    return tx.execute(delete(agents).where(*old, ~holds)).rowcount


def find_owners(tx: Transaction, uuids: Iterable[str]) -> list[Owner]:
    """The tasks of these UUIDs that there are."""
    chosen = (
        select(
            tasks.c.uuid,
            tasks.c.id,
            tasks.c.job_id,
            workflows.c.workspace,
            workflows.c.pipeline_id,
            tasks.c.status,
        )
        .join_from(tasks, jobs, jobs.c.id == tasks.c.job_id)
        .join(workflows, workflows.c.id == jobs.c.workflow_id)
        .where(tasks.c.uuid.in_(list(uuids)))
    )
    return [
        Owner(
            task=uuid,
            task_id=task_id,
            job_id=job_id,
            workspace=space,
            pipeline_id=pipeline_id,
            ended=status in _ENDED,
        )
        for uuid, task_id, job_id, space, pipeline_id, status in tx.execute(chosen)
    ]


def named_blobs(tx: Transaction, owners: Collection[Owner]) -> set[str]:
    """The blobs that rows of these tasks, of their jobs and workspaces name."""
    by = (
        (log_chunks.c.blob, log_chunks.c.task_id, {owner.task_id for owner in owners}),
        (artifacts.c.blob, artifacts.c.job_id, {owner.job_id for owner in owners}),
        (workspace_layers.c.blob, workspace_layers.c.workspace, {owner.workspace for owner in owners}),
    )
    found: set[str] = set()
    for blob, column, values in by:
        chosen = select(blob).where(column.in_(list(values)), blob.is_not(None))
        found.update(tx.execute(chosen).scalars())
    return found


def cache_blobs(tx: Transaction, *, since: int = 0) -> set[str]:
    """The blobs of the caches made at the instant or after it."""
    return set(tx.execute(select(caches.c.blob).where(caches.c.created_at >= since)).scalars())


def _has_open(pipeline_id: ColumnElement[int]) -> Exists:
    return exists().where(workflows.c.pipeline_id == pipeline_id, workflows.c.stopped_at.is_(None))
