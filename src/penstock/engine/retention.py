"""Pipelines that ended long ago go, with all that they left behind; caches stay, they are their project's."""

from penstock.engine.unit import Parts
from penstock.engine.uploads import delete_quietly, folder_of
from penstock.store import expiry, pipelines
from penstock.store.logs import log_folder

MOST_AT_ONCE = 100
"""Pipelines that one sweep deletes, so that it ends."""

_KINDS = ("artifact", "test-report", "layer")


def expire_pipelines(parts: Parts, *, before: int) -> int:
    """Delete ended pipelines that were made and changed last before the instant; returns how many.

    At most `MOST_AT_ONCE`, oldest first. Blobs go first: whatever interrupts this, the next sweep finds
    the rows that name what is left.
    """
    deleted = after = 0
    while deleted < MOST_AT_ONCE:
        with parts.db.read() as tx:
            page = expiry.list_aged(tx, after=after)
            old = [each for each in page if max(each.created_at, each.updated_at) < before]
            gone = {
                each.id: expiry.list_tasks(tx, each.id) for each in old if not expiry.is_open(tx, each.id)
            }
        for pipeline_id, tasks in list(gone.items())[: MOST_AT_ONCE - deleted]:
            _delete_blobs(parts, tasks)
            with parts.db.write() as tx:
                pipelines.delete_pipeline(tx, pipeline_id)
            deleted += 1
        if not page or page[-1].created_at >= before:
            break
        after = page[-1].id
    return deleted


def _delete_blobs(parts: Parts, tasks: list[str]) -> None:
    for task in tasks:
        for folder in (log_folder(task), *(folder_of(task, kind).rstrip("/") for kind in _KINDS)):
            for name, _ in list(parts.blobs.list(folder)):
                delete_quietly(parts.blobs, name)
