"""One transaction in the making, with the parts it works with."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec

from penstock.engine.facts import Facts, load_facts
from penstock.engine.feed import Change, Feed
from penstock.engine.memory import Memory
from penstock.engine.post import Post
from penstock.engine.signal import Signal
from penstock.engine.signer import Signer
from penstock.engine.variables import Variables
from penstock.kit.clock import Clock
from penstock.store import outbox
from penstock.store.blobs import Blobs
from penstock.store.database import Database, Transaction

LEASE = 30.0
"""Seconds an agent may be silent before its tasks count as lost, unless somebody says otherwise."""


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """The real parts the engine works with, put together by `bootstrap`."""

    db: Database
    blobs: Blobs
    clock: Clock
    variables: Variables
    feed: Feed
    signal: Signal
    memory: Memory
    base_url: str = ""  # how people reach the server
    lease: float = LEASE
    signer: Signer | None = None  # of identity tokens; without it there are none
    post: Post = msgspec.field(default_factory=Post)  # there are letters to deliver


class Unit:
    """A transaction, its instant, and what is to follow from it once it is committed."""

    def __init__(self, parts: Parts, tx: Transaction) -> None:
        self.parts = parts
        self.tx = tx
        self.now = parts.clock.now()
        self.flows: dict[int, object] = {}  # the workflows loaded so far, each once; see `engine.flow`
        self.ended: set[int] = set()  # the pipelines of which a workflow has ended
        self.changes: list[Change] = []  # for watchers, in order
        self.wake = False  # there may be new work or a new command for an agent
        self.posted: set[str] = set()  # of which kinds there are new letters in the outbox
        self.afterwards: list[Callable[[], None]] = []  # what must not happen unless it is committed
        self._facts: dict[int, Facts] = {}

    def promise(self, kind: str, subject: str, payload: Mapping[str, Any]) -> None:
        """A letter is in the outbox, to be delivered soon after the transaction; see `engine.deliver`."""
        outbox.append_letter(self.tx, kind, subject, payload, now=self.now)
        self.posted.add(kind)

    def catch_up(self) -> None:
        """The instant is now: what was written while the transaction waited for a lock lies before it."""
        self.now = max(self.now, self.parts.clock.now())

    def facts(self, workflow_id: int) -> Facts:
        """The facts of the workflow of that row id. Raises NotFoundError when there is none.

        Others hear of what was read here only after the commit: the row ids of a transaction that is
        rolled back are given to other workflows.
        """
        found = self._facts.get(workflow_id) or self.parts.memory.recall_facts(workflow_id)
        if found is None:
            found = load_facts(self.tx, workflow_id)
            self.afterwards.append(partial(self.parts.memory.keep_facts, workflow_id, found))
        self._facts[workflow_id] = found
        return found
