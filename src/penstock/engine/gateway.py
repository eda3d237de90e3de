"""The server as its agents see it: one exchange for news and commands, and the ways of blobs."""

import itertools
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from typing import cast

from penstock.engine import turn
from penstock.engine.continuation import Compiler, answer_wish, refuse_to_compile
from penstock.engine.facts import load_facts
from penstock.engine.forks import name_scope
from penstock.engine.handback import take_back
from penstock.engine.identity import answer_wish as answer_token_wish
from penstock.engine.unit import Parts
from penstock.engine.uploads import may_read_blob, put_upload
from penstock.model.errors import NotFoundError, UnavailableError
from penstock.model.output import CacheEntry
from penstock.model.status import TaskStatus
from penstock.store import caches, tasks
from penstock.store.failures import RolledBackError
from penstock.wire.messages import (
    Assignment,
    CacheHit,
    Commands,
    Continue,
    Continued,
    Minted,
    Sync,
    TokenWish,
)

LOOK = 2.0
"""Seconds after which a waiting agent's server looks for work that came in through another server."""

UNHEARD = "the agent that was to run it had gone"


class Gateway:
    """Answers agents. All calls may be made from several threads at once."""

    def __init__(
        self, parts: Parts, *, clean_up: bool = False, compiler: Compiler = refuse_to_compile
    ) -> None:
        self._parts = parts
        self._compiler = compiler
        self._clean_up = clean_up  # a canceled task's `always` steps still run
        self._rounds = itertools.count(1)
        self._latest: dict[str, int] = {}  # the newest message of each agent ends older waits
        self._waiting: Counter[str] = Counter()  # exchanges that are being held, by agent
        self._lock = threading.Lock()

    def sync(self, message: Sync) -> Commands:
        """Take in the events, renew leases, and answer with commands; waits for one when asked to.

        Raises NotFoundError for an agent nobody knows, UnavailableError when it has to be sent once more.
        Events of a task that cannot be taken in end that task; all others are taken in.
        """
        exchange = Exchange(self, self._parts, message)
        try:
            commands = exchange.begin()
            while commands is None:
                self._parts.signal.wait(exchange.seen, exchange.rest)
                commands = exchange.look()
        finally:
            exchange.close()
        return commands

    def open_exchange(self, message: Sync) -> "Exchange":
        """The same in steps, for who cannot wait in a thread."""
        return Exchange(self, self._parts, message)

    def end_waits(self) -> None:
        """Every exchange that waits for a command is answered now, with nothing."""
        with self._lock:
            self._latest = dict.fromkeys(self._latest, 0)
        self._parts.signal.notify()

    def upload(self, task: str, kind: str, chunks: Iterable[bytes]) -> str:
        """Store the bytes and return their name.

        Raises LimitExceededError past the kind's bound, InvalidError for an unknown kind.
        """
        return put_upload(self._parts.blobs, task, kind, chunks)

    def download(self, task: str, blob: str, offset: int = 0) -> AbstractContextManager[Iterator[bytes]]:
        """The bytes of a blob from the offset. Raises NotFoundError when it is gone or not for the task."""
        with self._parts.db.read() as tx:
            allowed = may_read_blob(tx, task, blob)
        if not allowed:
            raise NotFoundError("there is no such blob for this task")
        return closing(cast("_Closable", self._parts.blobs.open(blob, offset)))

    def find_cache(self, task: str, keys: tuple[str, ...]) -> CacheHit | None:
        """The newest cache for the first key that has any (CircleCI docs: caching, restore_cache)."""
        owner = self._find_owner(task)
        for key in keys:
            found = self._find_whole(owner, key)
            if found is not None:
                return CacheHit(key=found.key, blob=found.blob, size=found.size)
        return None

    def has_cache(self, task: str, key: str) -> bool:
        """True when exactly this key is taken."""
        owner = self._find_owner(task)
        found = self._find_whole(owner, key)
        with self._parts.db.read() as tx:
            return found is not None and caches.has_key(tx, *owner, key, now=self._parts.clock.now())

    def find_others(self, task: str) -> tuple[TaskStatus, ...]:
        """How the other parallel copies of the task's attempt stand."""
        with self._parts.db.read() as tx:
            mine = tasks.task_by_uuid(tx, task)
            if mine is None:
                raise NotFoundError(f"there is no task {task}")
            copies = tasks.tasks_of(tx, mine.job_id, attempt=mine.attempt)
        return tuple(copy.status for copy in copies if copy.index != mine.index)

    def continue_pipeline(self, task: str, wish: Continue) -> Continued:
        """Continue a pipeline as its setup workflow asks, and say how that went in the vendor's way."""
        del task  # the key says which pipeline
        return answer_wish(self._parts, self._compiler, wish)

    def mint_token(self, task: str, wish: TokenWish) -> Minted:
        """An identity token for the task, or why there is none."""
        return answer_token_wish(self._parts, task, wish)

    def _find_owner(self, task: str) -> tuple[int, str]:
        """The project of the task, and which of its caches the task sees."""
        with self._parts.db.read() as tx:
            placement = tasks.place_task(tx, task)
            if placement is None:
                raise NotFoundError(f"there is no task {task}")
            facts = self._parts.memory.recall_facts(placement.workflow_id)
            facts = facts or load_facts(tx, placement.workflow_id)
        return placement.project_id, name_scope(facts)

    def _find_whole(self, owner: tuple[int, str], key: str) -> CacheEntry | None:
        """The newest cache of the prefix whose bytes are there; entries that lost theirs are forgotten."""
        while True:
            with self._parts.db.read() as tx:
                found = caches.find_newest(tx, *owner, key, now=self._parts.clock.now())
            if found is None or self._parts.blobs.exists(found.blob):
                return found
            with self._parts.db.write() as tx:
                caches.drop_entry(tx, *owner, found)

    def supersede(self, message: Sync) -> int:
        """Make this the agent's newest message; an older one that is being held is answered now."""
        with self._lock:
            mine = self._latest[message.agent] = next(self._rounds)
            held = self._waiting[message.agent]
            self._waiting[message.agent] += int(message.wait > 0)
        if held:
            self._parts.signal.notify()
        return mine

    def is_newest(self, message: Sync, mine: int) -> bool:
        """True while the agent has sent no other message since the one that `supersede` numbered so."""
        return self._latest.get(message.agent) == mine

    def take_turn(self, message: Sync) -> Commands:
        """Take in the events, renew leases, and find what the agent is to be told now."""
        return turn.take_turn(self._parts, message, clean_up=self._clean_up)

    def find_commands(self, message: Sync) -> Commands:
        """What the agent is to be told now; what it was given is its own from here on."""
        return turn.find_commands(self._parts, message, clean_up=self._clean_up, renew=False)

    def forget_wait(self, message: Sync) -> None:
        """The message is not held any more."""
        with self._lock:
            self._waiting -= Counter({message.agent: int(message.wait > 0)})


class Exchange:
    """One message of an agent and the answer to it, in steps of which none waits.

    `begin`, then `look` as often as nothing is to be said: each time when the signal's count is no longer
    `seen`, or after `rest` seconds. `close` at the end, whatever it was; `abandon` besides, from any thread,
    when the agent has gone before the answer.
    """

    def __init__(self, gateway: Gateway, parts: Parts, message: Sync) -> None:
        self._gateway = gateway
        self._parts = parts
        self._message = message
        self._mine = gateway.supersede(message)
        self._deadline = 0.0
        self._lock = threading.Lock()
        self._given: tuple[Assignment, ...] = ()
        self._abandoned = False
        self.seen = 0

    @property
    def rest(self) -> float:
        """Seconds after which to look again at the latest: another server may have let work in."""
        return min(max(self._deadline - self._parts.clock.monotonic(), 0), LOOK)

    def begin(self) -> Commands | None:
        """Take in the events and look for commands, as `Gateway.sync` does; None when it is to be held."""
        self.seen = self._parts.signal.count
        with _explained():
            commands = self._gateway.take_turn(self._message)
        self._deadline = self._parts.clock.monotonic() + self._message.wait
        return self._choose(commands)

    def look(self) -> Commands | None:
        """The answer; None while there is nothing to say and time to wait."""
        self.seen = self._parts.signal.count
        with _explained():
            commands = self._gateway.find_commands(self._message)
        return self._choose(commands)

    def _choose(self, commands: Commands) -> Commands | None:
        if commands == Commands() and self.rest > 0 and self._gateway.is_newest(self._message, self._mine):
            return None
        with self._lock:
            self._given = commands.assignments
        if self._abandoned:
            self._give_back()
        return commands

    def close(self) -> None:
        """It is not held any more."""
        self._gateway.forget_wait(self._message)

    def abandon(self) -> None:
        """Nobody heard the answer: tasks that it gave to the agent are queued again.

        If the database is away, they are when their leases end.
        """
        self._abandoned = True
        with suppress(UnavailableError, RolledBackError):
            self._give_back()

    def _give_back(self) -> None:
        with self._lock:
            given, self._given = self._given, ()
        for assignment in given:
            take_back(self._parts, assignment.task, message=UNHEARD)


@contextmanager
def _explained() -> Iterator[None]:
    """What passes by itself is raised as such."""
    try:
        yield
    except RolledBackError as error:
        raise UnavailableError("the database is too busy at present") from error


class _Closable(Iterator[bytes]):
    def close(self) -> None: ...
