"""Organizations and projects on their way out: hidden at once, taken apart in small pieces later.

A marked row has given its slug back and is found by its row id only.
"""

from collections.abc import Collection

from sqlalchemy import delete, select, union, update

from penstock.model.project import Organization, Project
from penstock.store import rows, secrets
from penstock.store.database import Transaction
from penstock.store.schema import (
    artifacts,
    caches,
    jobs,
    log_chunks,
    organizations,
    pipelines,
    projects,
    tasks,
    workflows,
    workspace_layers,
)

_MARK = "~"  # no slug that anybody can name begins so


def is_marked(place: Organization | Project) -> bool:
    """True for one that was read by its row id and is on its way out."""
    return place.slug.startswith(_MARK)


def mark_project(tx: Transaction, project_id: int, *, now: int) -> None:
    """The project cannot be found any more, and another may take its slug."""
    mine = (projects.c.id == project_id, projects.c.deleted_at.is_(None))
    tx.execute(update(projects).where(*mine).values(slug=f"{_MARK}/" + projects.c.uuid, deleted_at=now))


def mark_organization(tx: Transaction, organization_id: int, *, now: int) -> None:
    """The organization and its projects cannot be found any more, and others may take their slugs."""
    mine = (organizations.c.id == organization_id, organizations.c.deleted_at.is_(None))
    tx.execute(update(organizations).where(*mine).values(slug=_MARK + organizations.c.uuid, deleted_at=now))
    owned = (projects.c.organization_id == organization_id, projects.c.deleted_at.is_(None))
    tx.execute(update(projects).where(*owned).values(slug=f"{_MARK}/" + projects.c.uuid, deleted_at=now))


def marked_projects(tx: Transaction) -> list[int]:
    """Row ids of projects on their way out, oldest first."""
    return list(
        tx.execute(
            select(projects.c.id).where(rows.literally("deleted_at IS NOT NULL")).order_by(projects.c.id)
        ).scalars()
    )


def marked_organizations(tx: Transaction) -> list[int]:
    """Row ids of organizations on their way out, oldest first."""
    marked = select(organizations.c.id).where(rows.literally("deleted_at IS NOT NULL"))
    return list(tx.execute(marked.order_by(organizations.c.id)).scalars())


def ended_pipelines(tx: Transaction, project_id: int, *, limit: int) -> list[int]:
    """Row ids of the project's oldest pipelines in which nothing runs."""
    open_ones = select(workflows.c.id).where(
        workflows.c.pipeline_id == pipelines.c.id, workflows.c.stopped_at.is_(None)
    )
    mine = select(pipelines.c.id).where(pipelines.c.project_id == project_id, ~open_ones.exists())
    return list(tx.execute(mine.order_by(pipelines.c.id).limit(limit)).scalars())


def blobs_of(tx: Transaction, pipeline_ids: Collection[int]) -> list[str]:
    """The blobs that rows of these pipelines name: artifacts, logs and workspaces."""
    mine = workflows.c.pipeline_id.in_(pipeline_ids)
    of_jobs = jobs.join(workflows, workflows.c.id == jobs.c.workflow_id)
    of_tasks = tasks.join(of_jobs, jobs.c.id == tasks.c.job_id)
    kept = select(artifacts.c.blob).select_from(artifacts.join(of_jobs, jobs.c.id == artifacts.c.job_id))
    said = select(log_chunks.c.blob).select_from(
        log_chunks.join(of_tasks, tasks.c.id == log_chunks.c.task_id)
    )
    spaces = select(workflows.c.workspace).where(mine)
    layers = select(workspace_layers.c.blob).where(workspace_layers.c.workspace.in_(spaces))
    names = union(kept.where(mine), said.where(mine, log_chunks.c.blob.is_not(None)), layers)
    return list(tx.execute(names).scalars())


def delete_pipelines(tx: Transaction, pipeline_ids: Collection[int]) -> None:
    """The pipelines are gone with every row below them."""
    spaces = select(workflows.c.workspace).where(workflows.c.pipeline_id.in_(pipeline_ids))
    tx.execute(delete(workspace_layers).where(workspace_layers.c.workspace.in_(spaces)))
    tx.execute(delete(pipelines).where(pipelines.c.id.in_(pipeline_ids)))


def cache_blobs(tx: Transaction, project_id: int, *, limit: int) -> list[str]:
    """Some blobs of the project's caches."""
    mine = select(caches.c.blob).where(caches.c.project_id == project_id)
    return list(tx.execute(mine.order_by(caches.c.id).limit(limit)).scalars())


def delete_caches(tx: Transaction, project_id: int, blobs: Collection[str]) -> None:
    """The project's caches that these blobs hold are gone."""
    tx.execute(delete(caches).where(caches.c.project_id == project_id, caches.c.blob.in_(blobs)))


def delete_project(tx: Transaction, project_id: int) -> bool:
    """True when the project had no pipelines left; it is gone then with its settings and secrets."""
    left = select(pipelines.c.id).where(pipelines.c.project_id == project_id).limit(1)
    if tx.execute(left).first() is not None:
        return False
    secrets.delete_secrets(tx, secrets.of_project(project_id))
    tx.execute(delete(projects).where(projects.c.id == project_id))
    return True


def has_projects(tx: Transaction, organization_id: int) -> bool:
    """True while the organization has a project, be it one on its way out."""
    left = select(projects.c.id).where(projects.c.organization_id == organization_id).limit(1)
    return tx.execute(left).first() is not None


def delete_organization(tx: Transaction, organization_id: int) -> bool:
    """True when the organization had no projects left; it is gone then with all it shared."""
    if has_projects(tx, organization_id):
        return False
    secrets.delete_secrets(tx, secrets.of_organization(organization_id))
    tx.execute(delete(organizations).where(organizations.c.id == organization_id))
    return True
