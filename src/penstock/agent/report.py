"""What a task says about itself: events with their sequence numbers."""

from typing import TypedDict

from penstock.agent.outbox import Outbox
from penstock.kit.clock import Clock
from penstock.model.status import Reason, StepStatus, TaskStatus
from penstock.model.usage import Used
from penstock.wire.messages import (
    AnyEvent,
    ArtifactStored,
    CacheSaved,
    LayerSaved,
    LogOutput,
    StepFinished,
    StepStarted,
    TaskFinished,
    TaskStarted,
    TestReport,
)


class _Stamp(TypedDict):
    task: str
    sequence: int
    at: int


class Reporter:
    """Numbers the events of one task. Only the thread of the task calls it.

    After `mute` nothing is said any more, which is how a lost task ends.
    """

    def __init__(self, task: str, outbox: Outbox, clock: Clock) -> None:
        self._task = task
        self._outbox = outbox
        self._clock = clock
        self._sequence = 0
        self._steps: list[tuple[str, str]] = []  # names and kinds
        self._muted = False

    @property
    def has_room(self) -> bool:
        """True when more output may be produced."""
        return self._muted or self._outbox.has_room

    @property
    def muted(self) -> bool:
        """True when nothing is said any more."""
        return self._muted

    @property
    def sequence(self) -> int:
        """The number of what was said last."""
        return self._sequence

    def is_heard(self, sequence: int) -> bool:
        """True when the server has what was said up to that number."""
        return self._muted or not self._outbox.holds(self._task, sequence)

    def hurry(self) -> None:
        """Have what was said delivered now."""
        self._outbox.nudge()

    def mute(self) -> None:
        """Say nothing from now on, and take back what was not delivered."""
        self._muted = True
        self._outbox.drop(self._task)

    def task_started(self) -> None:
        """The work begins."""
        self._put(TaskStarted(**self._stamp()))

    def step_started(self, name: str, kind: str, *, background: bool = False) -> int:
        """A step begins; returns its number."""
        step = len(self._steps)
        self._steps.append((name, kind))
        self._put(StepStarted(**self._stamp(), step=step, name=name, kind=kind, background=background))
        return step

    def step_finished(
        self, step: int, status: StepStatus, exit_code: int | None = None, message: str = ""
    ) -> None:
        """A step ended."""
        name, kind = self._steps[step]
        self._put(
            StepFinished(
                **self._stamp(),
                step=step,
                name=name,
                kind=kind,
                status=status,
                exit_code=exit_code,
                message=message,
            )
        )

    def log(self, step: int, *, offset: int, size: int, first_line: int, lines: int, data: bytes) -> None:
        """A compressed piece of output."""
        self._put(
            LogOutput(
                **self._stamp(),
                step=step,
                offset=offset,
                size=size,
                first_line=first_line,
                lines=lines,
                data=data,
            )
        )

    def artifact(self, path: str, size: int, blob: str) -> None:
        """An artifact was uploaded."""
        self._put(ArtifactStored(**self._stamp(), path=path, size=size, blob=blob))

    def test_report(self, source: str, size: int, blob: str, directory: str) -> None:
        """A test report was uploaded by a job that worked in the directory."""
        self._put(TestReport(**self._stamp(), source=source, size=size, blob=blob, directory=directory))

    def cache(self, key: str, size: int, blob: str) -> None:
        """A cache was uploaded."""
        self._put(CacheSaved(**self._stamp(), key=key, size=size, blob=blob))

    def layer(self, size: int, blob: str) -> None:
        """A workspace layer was uploaded."""
        self._put(LayerSaved(**self._stamp(), size=size, blob=blob))

    def task_finished(self, status: TaskStatus, reason: Reason, message: str, used: Used | None) -> None:
        """The last word."""
        self._put(TaskFinished(**self._stamp(), status=status, reason=reason, message=message, used=used))

    def _stamp(self) -> _Stamp:
        return {"task": self._task, "sequence": self._sequence + 1, "at": self._clock.now()}

    def _put(self, event: AnyEvent) -> None:
        self._sequence = event.sequence
        if not self._muted:
            self._outbox.put(event)
