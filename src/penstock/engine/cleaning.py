"""Removes what is old: the rows of runs that have ended, then every blob that no row names any more.

Rows go first, a pipeline in one transaction. What is killed in the middle leaves blobs without rows, and the
next cleaning finds them, since it looks at all blobs. Of tasks that have not ended none is touched: what they
have uploaded may get its row at any moment.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice

import msgspec

from penstock.engine.unit import Parts
from penstock.store import caches, retention
from penstock.store.database import Transaction
from penstock.store.retention import Owner

LOCAL_AGENTS = "local-"
"""What the names of agents begin with that served one command."""

_NAME = re.compile(r"(?P<kind>artifact|cache|layer|test-report|logs)/../(?P<task>[0-9a-f-]{36})/.+")
_AT_ONCE = 200  # tasks that are looked up together
_PAGE = 1000
_LEFTOVER = 24 * 3600  # seconds after which an unfinished file of a blob is one that a killed command left


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What is to go: runs that ended before the instant, but not the newest `keep` of each project.

    Caches go that were made before theirs. Instants are milliseconds since the epoch.
    """

    before: int
    keep: int
    caches_before: int


class Cleaned(msgspec.Struct, frozen=True, kw_only=True):
    """What has gone, or would go: UUIDs of runs, how many caches and blobs, and the bytes of the blobs."""

    runs: tuple[str, ...]
    caches: int
    blobs: int
    size: int


class Gone(msgspec.Struct, frozen=True, kw_only=True):
    """What counts as gone although its rows are there: pipelines by row id, and caches by blob."""

    pipelines: frozenset[int] = frozenset()
    caches: frozenset[str] = frozenset()


def preview_cleaning(parts: Parts, wish: Wish) -> Cleaned:
    """What `clean` would remove now."""
    with parts.db.read() as tx:
        chosen = retention.finished_pipelines(tx, wish.before, keep=wish.keep)
        old = retention.cache_blobs(tx) - retention.cache_blobs(tx, since=wish.caches_before)
        names = tuple(retention.pipeline_names(tx, chosen))
    gone = Gone(pipelines=frozenset(chosen), caches=frozenset(old))
    sizes = [size for _, size in find_orphans(parts, gone)]
    return Cleaned(runs=names, caches=len(old), blobs=len(sizes), size=sum(sizes))


def clean(parts: Parts, wish: Wish, removed: Callable[[str], None] = lambda _: None) -> Cleaned:
    """Remove it. May be stopped at any moment, and called while runs go on, which keep all they have.

    `removed` hears the UUID of each run whose rows are gone.
    """
    with parts.db.read() as tx:
        chosen = retention.finished_pipelines(tx, wish.before, keep=wish.keep)
    runs = []
    for pipeline_id in chosen:
        uuid = parts.db.retry(lambda tx, pipeline_id=pipeline_id: retention.remove_pipeline(tx, pipeline_id))  # type: ignore[misc]  # mypy knows no defaults of lambdas
        if uuid is not None:
            runs.append(uuid)
            removed(uuid)
    forgotten = _drop_caches(parts, wish.caches_before)
    parts.db.retry(lambda tx: retention.remove_agents(tx, LOCAL_AGENTS, wish.before))
    blobs, size = _delete_orphans(parts)
    parts.blobs.sweep_leftovers(parts.clock.now() / 1000 - _LEFTOVER)
    return Cleaned(runs=tuple(runs), caches=forgotten, blobs=blobs, size=size)


def find_orphans(parts: Parts, gone: Gone | None = None) -> Iterator[tuple[str, int]]:
    """Name and size of each blob that no row names and that no task can name any more."""
    gone = gone or Gone()
    by_task: dict[str, dict[str, int]] = {}
    for name, size in parts.blobs.list():
        if match := _NAME.fullmatch(name):
            by_task.setdefault(match["task"], {})[name] = size
    tasks = iter(by_task.items())
    while batch := dict(islice(tasks, _AT_ONCE)):
        with parts.db.read() as tx:
            needed = _list_needed(tx, batch, gone)
        for blobs in batch.values():
            yield from ((name, size) for name, size in blobs.items() if name not in needed)


def _list_needed(tx: Transaction, batch: Mapping[str, Mapping[str, int]], gone: Gone) -> set[str]:
    """The blobs of the batch that must stay. Tasks are read before the rows that name their blobs."""
    owners = [each for each in retention.find_owners(tx, batch) if each.pipeline_id not in gone.pipelines]
    needed = {name for owner in owners if not owner.ended for name in batch[owner.task]}
    ended: list[Owner] = [owner for owner in owners if owner.ended]
    if ended:
        needed |= retention.named_blobs(tx, ended)
    return needed | (retention.cache_blobs(tx) - gone.caches)


def _delete_orphans(parts: Parts) -> tuple[int, int]:
    count = total = 0
    folders: set[str] = set()
    for name, size in find_orphans(parts):
        parts.blobs.delete(name)
        folders.add("/".join(name.split("/")[:3]))
        count, total = count + 1, total + size
    for folder in folders:
        parts.blobs.drop_empty(folder)
    return count, total


def _drop_caches(parts: Parts, before: int) -> int:
    """Forget the old caches; their blobs are orphans then."""
    count = 0
    while names := parts.db.retry(lambda tx: caches.delete_older(tx, before, limit=_PAGE)):
        count += len(names)
    return count
