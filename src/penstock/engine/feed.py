"""Tells whoever watches, in this process, what has just become true.

A change is published after its transaction is committed, so nobody sees what may still be undone.
"""

import threading
from collections.abc import Callable, Sequence

import msgspec

from penstock.model.status import (
    JobKind,
    JobStatus,
    PipelineStatus,
    Reason,
    StepStatus,
    WorkflowStatus,
)


class Change(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type"):
    """What every change has: when it happened, in milliseconds since the epoch, and where."""

    at: int
    pipeline: str


class PipelineChanged(Change, frozen=True, kw_only=True, omit_defaults=True, tag="pipeline"):
    """A pipeline has a new status; `ended` when all its workflows have, with `outcome` as their verdict."""

    number: int
    status: PipelineStatus
    ended: bool = False
    outcome: WorkflowStatus | None = None


class WorkflowChanged(Change, frozen=True, kw_only=True, omit_defaults=True, tag="workflow"):
    """A workflow has a new status."""

    workflow: str
    name: str
    status: WorkflowStatus
    reason: Reason = Reason.NONE


class JobChanged(Change, frozen=True, kw_only=True, omit_defaults=True, tag="job"):
    """A job has a new status."""

    workflow: str
    job: str
    key: str
    name: str
    kind: JobKind
    status: JobStatus
    reason: Reason = Reason.NONE
    attempt: int = 1
    message: str = ""


class StepChanged(Change, frozen=True, kw_only=True, omit_defaults=True, tag="step"):
    """A step of a task began or ended."""

    job: str
    index: int  # of the task
    step: int
    name: str
    kind: str
    status: StepStatus
    exit_code: int | None = None
    message: str = ""


class OutputAdded(Change, frozen=True, kw_only=True, tag="output"):
    """A step printed; `data` is one zstd frame of masked bytes."""

    job: str
    index: int
    step: int
    data: bytes


Subscriber = Callable[[Change], None]
Watcher = Callable[[Sequence[Change]], None]


class Feed:
    """Hands each change to every subscriber, in order, in the thread that made it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._subscribers: tuple[Subscriber, ...] = ()
        self._watchers: dict[str, tuple[Watcher, ...]] = {}
        self.closed = False

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Add a subscriber, which must be quick and must not raise; the answer takes it off again."""
        with self._lock:
            self._subscribers += (subscriber,)

        def unsubscribe() -> None:
            with self._lock:
                self._subscribers = tuple(other for other in self._subscribers if other is not subscriber)

        return unsubscribe

    def watch(self, pipeline: str, watcher: Watcher) -> Callable[[], None]:
        """Have the watcher called after changes of one pipeline (UUID) with those of a transaction.

        It must be quick and must not raise. The answer takes it off again.
        """
        with self._lock:
            self._watchers[pipeline] = (*self._watchers.get(pipeline, ()), watcher)

        def unwatch() -> None:
            with self._lock:
                present = self._watchers.get(pipeline, ())
                self._watchers[pipeline] = tuple(other for other in present if other is not watcher)
                if not self._watchers[pipeline]:
                    del self._watchers[pipeline]

        return unwatch

    def close(self) -> None:
        """Nobody needs to watch any more: watchers are called once more, with nothing, and find `closed`."""
        self.closed = True
        for watchers in list(self._watchers.values()):
            for watcher in watchers:
                watcher([])

    def publish(self, changes: list[Change]) -> None:
        """Hand the changes on."""
        subscribers = self._subscribers
        for change in changes:
            for subscriber in subscribers:
                subscriber(change)
        if self._watchers:
            for pipeline in {change.pipeline for change in changes}:
                for watcher in self._watchers.get(pipeline, ()):
                    watcher(changes)
