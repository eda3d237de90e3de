"""What nobody needs any more is taken apart: deleted projects, heard deliveries, agents long gone."""

from penstock.engine.control import cancel_workflow
from penstock.engine.enlist import sweep_agents
from penstock.engine.unit import Parts
from penstock.store import deliveries, removal, usage, workflows

PIPELINES_AT_ONCE = 20
ROUNDS = 10
CACHES_AT_ONCE = 200

REMEMBERED = 90 * 24 * 3_600_000
"""Milliseconds for which a hook delivery is known to have been heard."""


def sweep(parts: Parts) -> bool:
    """Take apart a bounded amount of what is to go; True when there is more that can go at once.

    To be called now and then, by any number of servers. A crash in between loses nothing: blobs go before
    the rows that name them. Raises UnavailableError when the database or the blob store does not answer.
    """
    sweep_agents(parts)
    old = parts.clock.now() - REMEMBERED
    with parts.db.read() as tx:
        stale = deliveries.has_older(tx, old)
        projects, organizations = removal.marked_projects(tx), removal.marked_organizations(tx)
    if stale:
        with parts.db.write() as tx:
            deliveries.forget_deliveries(tx, old)
    more = [_take_apart(parts, project_id) for project_id in projects]
    more += [_dissolve(parts, organization_id) for organization_id in organizations]
    return any(more)


def _dissolve(parts: Parts, organization_id: int) -> bool:
    """The organization is gone once it has no projects; True when there is more of it that can go at once."""
    for _ in range(ROUNDS):
        with parts.db.write() as tx:
            if removal.has_projects(tx, organization_id):
                return False
            if not usage.forget_organization(tx, organization_id):
                removal.delete_organization(tx, organization_id)
                return False
    return True


def _take_apart(parts: Parts, project_id: int) -> bool:
    """A part of the project is gone, or all of it; True when there is more that can go at once."""
    with parts.db.read() as tx:
        running = workflows.open_workflows(tx, project_id=project_id)
    for workflow in running:
        cancel_workflow(parts, workflow.uuid)
    for _ in range(ROUNDS):
        dropped = (_drop_pipelines(parts, project_id), _drop_caches(parts, project_id))
        if not any(dropped):
            with parts.db.write() as tx:
                removal.delete_project(tx, project_id)
            return False
    return True


def _drop_pipelines(parts: Parts, project_id: int) -> bool:
    """Some ended pipelines are gone with their blobs; False when there were none."""
    with parts.db.read() as tx:
        ended = removal.ended_pipelines(tx, project_id, limit=PIPELINES_AT_ONCE)
        blobs = removal.blobs_of(tx, ended) if ended else []
    for blob in blobs:
        parts.blobs.delete(blob)
    if ended:
        with parts.db.write() as tx:
            removal.delete_pipelines(tx, ended)
    return bool(ended)


def _drop_caches(parts: Parts, project_id: int) -> bool:
    """Some caches are gone with their blobs; False when there were none."""
    with parts.db.read() as tx:
        blobs = removal.cache_blobs(tx, project_id, limit=CACHES_AT_ONCE)
    for blob in blobs:
        parts.blobs.delete(blob)
    if blobs:
        with parts.db.write() as tx:
            removal.delete_caches(tx, project_id, blobs)
    return bool(blobs)
