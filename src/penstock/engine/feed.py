"""Tells whoever watches, in this process, what has just become true.

A change is published after its transaction is committed, so nobody sees what may still be undone.
"""

import threading
from collections.abc import Callable

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
    """What every change has: when it happened, in milliseconds since the epoch."""

    at: int


class PipelineChanged(Change, frozen=True, kw_only=True, omit_defaults=True, tag="pipeline"):
    """A pipeline has a new status; `ended` when all its workflows have, with `outcome` as their verdict."""

    pipeline: str
    number: int
    status: PipelineStatus
    ended: bool = False
    outcome: WorkflowStatus | None = None


class WorkflowChanged(Change, frozen=True, kw_only=True, omit_defaults=True, tag="workflow"):
    """A workflow has a new status."""

    pipeline: str
    workflow: str
    name: str
    status: WorkflowStatus
    reason: Reason = Reason.NONE


class JobChanged(Change, frozen=True, kw_only=True, omit_defaults=True, tag="job"):
    """A job has a new status."""

    pipeline: str
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

    pipeline: str
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

    pipeline: str
    job: str
    index: int
    step: int
    data: bytes


Subscriber = Callable[[Change], None]


class Feed:
    """Hands each change to every subscriber, in order, in the thread that made it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._subscribers: tuple[Subscriber, ...] = ()

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Add a subscriber, which must be quick and must not raise; the answer takes it off again."""
        with self._lock:
            self._subscribers += (subscriber,)

        def unsubscribe() -> None:
            with self._lock:
                self._subscribers = tuple(other for other in self._subscribers if other is not subscriber)

        return unsubscribe

    def publish(self, changes: list[Change]) -> None:
        """Hand the changes on."""
        subscribers = self._subscribers
        for change in changes:
            for subscriber in subscribers:
                subscriber(change)
