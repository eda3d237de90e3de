"""The claim queue: queued tasks are given to agents for as long as they renew their lease."""

import heapq
from collections.abc import Collection
from functools import cache
from typing import Any

from sqlalchemy import Executable, Select, bindparam, func, select, text, update

from penstock.kit.ids import new_id
from penstock.model.run import Task
from penstock.model.status import TaskStatus
from penstock.store import rows
from penstock.store.database import Transaction
from penstock.store.schema import tasks
from penstock.store.tasks import ORGANIZATION

_QUEUED = "status = 'queued'"
_LEASED = "lease_until IS NOT NULL"

_WAITING_KEYS = text(
    """
    WITH RECURSIVE waiting(queue_key) AS (
      SELECT (SELECT min(queue_key) FROM tasks WHERE status = 'queued')
      UNION ALL
      SELECT (SELECT min(t.queue_key) FROM tasks t
              WHERE t.status = 'queued' AND t.queue_key > waiting.queue_key)
      FROM waiting WHERE waiting.queue_key IS NOT NULL
    )
    SELECT queue_key FROM waiting WHERE queue_key IS NOT NULL
    """
)
"""The distinct keys of queued tasks, one step of the index for each, however many tasks wait."""


def claim_tasks(
    tx: Transaction, agent_id: int, labels: Collection[str], *, limit: int, lease_until: int
) -> list[Task]:
    """Give the agent up to `limit` queued tasks, highest priority first, then oldest.

    Only tasks all of whose labels the agent carries. They are running, leased to the agent until
    `lease_until`, and no other transaction gets them. On PostgreSQL rivals do not wait for each other:
    a task that a rival is about to take is passed over.
    """
    keys = {key for key in waiting_keys(tx) if carries(labels, key)}
    claimed: list[tuple[int, Task]] = []
    passed_over = True
    while keys and passed_over and len(claimed) < limit:
        passed_over = False
        for key, count in _share_out(tx, keys, limit - len(claimed)).items():
            taken = _take(tx, key, count, agent_id=agent_id, lease_until=lease_until)
            claimed += taken
            if len(taken) < count:
                keys.discard(key)  # it is empty, or the rest is in rivals' hands
                passed_over = True
    return [task for _, task in sorted(claimed, key=lambda pair: (-pair[0], pair[1].id))]


def waiting_keys(tx: Transaction) -> list[str]:
    """The label sets (as `tasks.queue_key` writes them) for which at least one task is queued."""
    return list(tx.execute(_WAITING_KEYS).scalars())


def carries(labels: Collection[str], key: str) -> bool:
    """True when the labels hold every label of the key; without any organization's they serve all."""
    missing = [label for label in key.split("\n")[:-1] if label not in labels]
    if not missing:
        return True
    bound = any(label.startswith(ORGANIZATION) for label in labels)
    return not bound and all(label.startswith(ORGANIZATION) for label in missing)


def renew_leases(tx: Transaction, agent_id: int, uuids: Collection[str], *, lease_until: int) -> set[str]:
    """Prolong the agent's leases and return the tasks that are still its own; the others are lost to it."""
    if not uuids:
        return set()
    values = {"agent": agent_id, "until": lease_until, "uuids": list(uuids)}
    return set(tx.execute(_renew(), values).scalars())


def held_tasks(tx: Transaction, agent_id: int) -> list[Task]:
    """The tasks leased to the agent, oldest first."""
    return rows.fetch_all(tx, Task, _select_held(), {"agent": agent_id})


def expired_tasks(tx: Transaction, now: int, *, limit: int = 100) -> list[Task]:
    """Tasks whose lease ended before `now`, the longest ended first; nothing is changed or locked."""
    return rows.fetch_all(tx, Task, _select_expired(), {"now": now, "limit": limit})


def queued_before(tx: Transaction, key: str, before: int, *, limit: int) -> list[Task]:
    """Tasks of the label set that have been queued since before the instant, first those claimed first."""
    values = {"key": key, "count": limit}
    first = rows.fetch_all(tx, Task, _first_queued(*rows.columns_of(tasks, Task)), values)
    return [task for task in first if task.queued_at < before]


def release_task(tx: Transaction, task_id: int, *, now: int) -> None:
    """Put the task back in the queue as nobody's, in its old place among its equals.

    It has another UUID from now on, so that what its lost agent still says is about a task nobody knows,
    and its events are counted anew.
    """
    tx.execute(_release(), {"task": task_id, "now": now, "name": new_id()})


def count_queued(tx: Transaction) -> dict[str, int]:
    """How many tasks wait, by label set."""
    counted = (
        select(tasks.c.queue_key, func.count()).where(rows.literally(_QUEUED)).group_by(tasks.c.queue_key)
    )
    return {key: count for key, count in tx.execute(counted)}  # noqa: C416 - rows are no tuples to mypy


def _share_out(tx: Transaction, keys: Collection[str], limit: int) -> dict[str, int]:
    """How many of each key are among the first `limit` of all the keys' tasks."""
    if len(keys) == 1:
        return dict.fromkeys(keys, limit)
    heads = (
        (-p, row_id, key) for key in keys for p, row_id in tx.execute(_heads(), {"key": key, "count": limit})
    )
    wanted: dict[str, int] = {}
    for _, _, key in heapq.nsmallest(limit, heads):
        wanted[key] = wanted.get(key, 0) + 1
    return wanted


def _take(
    tx: Transaction, key: str, count: int, *, agent_id: int, lease_until: int
) -> list[tuple[int, Task]]:
    """The first tasks of the key that no rival holds, now the agent's, each with its priority."""
    values = {"key": key, "count": count, "agent": agent_id, "until": lease_until}
    return [(priority, rows.build(Task, row)) for priority, *row in tx.execute(_claim(), values)]


def _first_queued(*columns: Any) -> Select[Any]:  # noqa: ANN401 - columns of one table
    chosen = select(*columns).where(rows.literally(_QUEUED), tasks.c.queue_key == bindparam("key"))
    return chosen.order_by(tasks.c.priority.desc(), tasks.c.id).limit(bindparam("count"))


@cache
def _heads() -> Executable:
    return _first_queued(tasks.c.priority, tasks.c.id)


@cache
def _claim() -> Executable:
    first = _first_queued(tasks.c.id).with_for_update(skip_locked=True).cte("first")
    chosen = update(tasks).where(tasks.c.id.in_(select(first.c.id)))
    taken = chosen.values(
        status=TaskStatus.RUNNING.value, agent_id=bindparam("agent"), lease_until=bindparam("until")
    )
    return taken.returning(tasks.c.priority, *rows.columns_of(tasks, Task))


@cache
def _renew() -> Executable:
    chosen = update(tasks).where(
        tasks.c.uuid.in_(bindparam("uuids", expanding=True)),
        tasks.c.agent_id == bindparam("agent"),
        rows.literally(_LEASED),
    )
    return chosen.values(lease_until=bindparam("until")).returning(tasks.c.uuid)


@cache
def _select_held() -> Executable:
    chosen = select(*rows.columns_of(tasks, Task))
    return chosen.where(tasks.c.agent_id == bindparam("agent"), rows.literally(_LEASED)).order_by(tasks.c.id)


@cache
def _select_expired() -> Executable:
    chosen = select(*rows.columns_of(tasks, Task))
    ended = chosen.where(rows.literally(_LEASED), tasks.c.lease_until < bindparam("now"))
    return ended.order_by(tasks.c.lease_until).limit(bindparam("limit"))


@cache
def _release() -> Executable:
    return (
        update(tasks)
        .where(tasks.c.id == bindparam("task"))
        .values(
            uuid=bindparam("name", type_=tasks.c.uuid.type),
            status=TaskStatus.QUEUED.value,
            reason="",
            agent_id=None,
            lease_until=None,
            started_at=None,
            queued_at=bindparam("now"),
            last_sequence=0,
        )
    )
