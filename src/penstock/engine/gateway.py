"""The server as its agents see it: one exchange for news and commands, and the ways of blobs."""

import itertools
import threading
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, closing
from typing import cast

from penstock.engine.assign import make_assignment
from penstock.engine.outputs import CACHE_SCOPE, prepare
from penstock.engine.report import start_task, take_in
from penstock.engine.transact import transact
from penstock.engine.unit import Parts, Unit
from penstock.kit.ids import new_id
from penstock.model.agent import Agent
from penstock.model.errors import LimitExceededError, NotFoundError
from penstock.model.run import Task
from penstock.model.status import TaskStatus
from penstock.store import agents, caches, queue, tasks
from penstock.store.database import Transaction
from penstock.wire.messages import Assignment, CacheHit, CancelTask, Commands, Sync

LEASE = 30.0
"""Seconds an agent may be silent before its tasks count as lost."""

LIMITS = {"artifact": 3 << 30, "test-report": 250 << 20, "cache": 16 << 30, "layer": 16 << 30}
"""Bytes a blob of each kind may have."""


class Gateway:
    """Answers agents. All calls may be made from several threads at once."""

    def __init__(self, parts: Parts, *, clean_up: bool = False) -> None:
        self._parts = parts
        self._clean_up = clean_up  # a canceled task's `always` steps still run
        self._rounds = itertools.count(1)
        self._latest: dict[str, int] = {}  # the newest message of each agent ends older waits
        self._lock = threading.Lock()

    def sync(self, message: Sync) -> Commands:
        """Take in the events, renew leases, and answer with commands; waits for one when asked to.

        Raises NotFoundError for an agent nobody knows.
        """
        mine = self._supersede(message.agent)
        self._take_in(message)
        deadline = self._parts.clock.monotonic() + message.wait
        while True:
            seen = self._parts.signal.count
            commands = self._find_commands(message)
            left = deadline - self._parts.clock.monotonic()
            if commands != Commands() or left <= 0 or self._latest.get(message.agent) != mine:
                return commands
            self._parts.signal.wait(seen, left)

    def end_waits(self) -> None:
        """Every exchange that waits for a command is answered now, with nothing."""
        with self._lock:
            self._latest = dict.fromkeys(self._latest, 0)
        self._parts.signal.notify()

    def upload(self, task: str, kind: str, chunks: Iterable[bytes]) -> str:
        """Store the bytes and return their name. Raises LimitExceededError past the kind's bound."""
        name = f"{kind}/{task[-2:]}/{task}/{new_id()}"
        self._parts.blobs.put(name, _bounded(chunks, LIMITS[kind], kind))
        return name

    def download(self, task: str, blob: str) -> AbstractContextManager[Iterator[bytes]]:
        """The bytes of a blob. Raises NotFoundError when it is gone."""
        del task  # which blobs a task may see is checked where its token is
        return closing(cast("_Closable", self._parts.blobs.open(blob)))

    def find_cache(self, task: str, keys: tuple[str, ...]) -> CacheHit | None:
        """The newest cache for the first key that has any (CircleCI docs: caching, restore_cache)."""
        with self._parts.db.read() as tx:
            project_id = _project_of(tx, task)
            for key in keys:
                found = caches.find_newest(tx, project_id, CACHE_SCOPE, key)
                if found is not None:
                    return CacheHit(key=found.key, blob=found.blob, size=found.size)
        return None

    def has_cache(self, task: str, key: str) -> bool:
        """True when exactly this key is taken."""
        with self._parts.db.read() as tx:
            return caches.has_key(tx, _project_of(tx, task), CACHE_SCOPE, key)

    def _supersede(self, agent: str) -> int:
        with self._lock:
            mine = self._latest[agent] = next(self._rounds)
        self._parts.signal.notify()
        return mine

    def _take_in(self, message: Sync) -> None:
        """One transaction for each task that has news."""
        if not message.events:
            return
        agent = self._find_agent(message.agent)
        prepared = [prepare(self._parts, event) for event in message.events]
        by_task = itertools.groupby(prepared, key=lambda each: each.event.task)
        for task, events in by_task:
            batch = list(events)
            transact(self._parts, lambda unit, task=task, batch=batch: take_in(unit, agent.id, task, batch))  # type: ignore[misc]  # mypy knows no defaults of lambdas

    def _find_commands(self, message: Sync) -> Commands:
        agent = self._find_agent(message.agent)
        if not message.holding and not message.free:
            return Commands()
        held, claimed = transact(self._parts, lambda unit: _lease(unit, agent, message))
        started = [transact(self._parts, lambda unit, task=task: _start(unit, task)) for task in claimed]  # type: ignore[misc]  # mypy knows no defaults of lambdas
        known = {task.uuid for task in held}
        return Commands(
            assignments=tuple(assignment for assignment in started if assignment is not None),
            cancel=tuple(
                CancelTask(task=task.uuid, reason=task.reason, clean_up=self._clean_up)
                for task in held
                if task.status is TaskStatus.CANCELING and task.uuid in message.holding
            ),
            lost=tuple(uuid for uuid in message.holding if uuid not in known),
        )

    def _find_agent(self, uuid: str) -> Agent:
        with self._parts.db.read() as tx:
            agent = agents.agent_by_uuid(tx, uuid)
        if agent is None:
            raise NotFoundError("this agent is not registered")
        return agent


def _lease(unit: Unit, agent: Agent, message: Sync) -> tuple[list[Task], list[Task]]:
    """Renew what the agent holds and claim what it can take: the tasks it had, and the new ones."""
    lease_until = unit.now + round(LEASE * 1000)
    if message.holding:
        queue.renew_leases(unit.tx, agent.id, message.holding, lease_until=lease_until)
    held = queue.held_tasks(unit.tx, agent.id)
    if not message.free or agent.disabled:
        return held, []
    claimed = queue.claim_tasks(unit.tx, agent.id, agent.labels, limit=message.free, lease_until=lease_until)
    return held, claimed


def _start(unit: Unit, task: Task) -> Assignment | None:
    """Let the claimed task's job run, in a transaction that locks the workflow before the task.

    None when the job was canceled since the claim; the task has then ended.
    """
    return make_assignment(unit, task, LEASE) if start_task(unit, task.uuid) else None


class _Closable(Iterator[bytes]):
    def close(self) -> None: ...


def _project_of(tx: Transaction, task: str) -> int:
    placement = tasks.place_task(tx, task)
    if placement is None:
        raise NotFoundError(f"there is no task {task}")
    return placement.project_id


def _bounded(chunks: Iterable[bytes], limit: int, kind: str) -> Iterator[bytes]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise LimitExceededError(f"larger than the {limit >> 20} MiB that may be stored as {kind}")
        yield chunk
