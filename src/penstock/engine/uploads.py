"""What agents put into the blob store: how much, under which names, and who may speak of it."""

import logging
from collections.abc import Iterable, Iterator

from penstock.engine.facts import load_facts
from penstock.engine.forks import name_scope
from penstock.kit.ids import new_id
from penstock.model.errors import InvalidError, LimitExceededError, PenstockError
from penstock.store import caches, tasks, workspaces
from penstock.store.blobs import Blobs
from penstock.store.database import Transaction

_log = logging.getLogger(__name__)

LIMITS = {"artifact": 3 << 30, "test-report": 250 << 20, "cache": 16 << 30, "layer": 16 << 30}
"""Bytes a blob of each kind may have."""


def put_upload(blobs: Blobs, task: str, kind: str, chunks: Iterable[bytes]) -> str:
    """Store the bytes and return their name.

    Raises LimitExceededError past the kind's bound, InvalidError for an unknown kind.
    """
    if kind not in LIMITS:
        raise InvalidError(f"nothing is kept as {kind!r}; there are {', '.join(LIMITS)}")
    name = f"{folder_of(task, kind)}{new_id()}"
    blobs.put(name, _bounded(chunks, kind))
    return name


def check_owner(task: str, kind: str, blob: str) -> None:
    """Return when the blob is one that the task uploaded as this kind; raise InvalidError otherwise.

    Without it an agent could have a blob shown, or deleted, that is another's.
    """
    if not blob.startswith(folder_of(task, kind)):
        raise InvalidError(f"the agent spoke of a blob that is no {kind} of this task")


def may_read_blob(tx: Transaction, task: str, blob: str) -> bool:
    """True when the task may read the blob: its own, a cache it may restore, a layer of its workspace."""
    if any(blob.startswith(folder_of(task, kind)) for kind in LIMITS):
        return True
    place = tasks.place_task(tx, task)
    if place is None:
        return False
    facts = load_facts(tx, place.workflow_id)
    if caches.holds_blob(tx, place.project_id, name_scope(facts), blob):
        return True
    return any(layer.blob == blob for layer in workspaces.layers_of(tx, facts.workspace))


def delete_quietly(blobs: Blobs, name: str) -> None:
    """The blob is gone, or, when the store does not answer, stays behind without a row that names it."""
    try:
        blobs.delete(name)
    except PenstockError as error:
        _log.warning("blob %s stays behind: %s", name, error)


def folder_of(task: str, kind: str) -> str:
    """The beginning of the names of what the task uploads as this kind."""
    return f"{kind}/{task[-2:]}/{task}/"


def _bounded(chunks: Iterable[bytes], kind: str) -> Iterator[bytes]:
    size, limit = 0, LIMITS[kind]
    for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise LimitExceededError(f"larger than the {limit >> 20} MiB that may be stored as {kind}")
        yield chunk
