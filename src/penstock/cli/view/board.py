"""What a watcher knows about a run: the present state of each job and its step, kept from changes.

Names and messages are kept as they may be printed.
"""

from collections.abc import Callable

import msgspec

from penstock.cli.view.printable import clean_line
from penstock.engine.feed import Change, JobChanged, StepChanged
from penstock.model.status import JobKind, JobStatus, StepStatus


class Line(msgspec.Struct):
    """A job as it is shown: `since` is when it began to run, in seconds of the caller's clock."""

    name: str
    kind: JobKind
    status: JobStatus
    attempt: int = 1
    since: float | None = None
    until: float | None = None
    steps: dict[int, str] = {}  # the step each parallel copy is at
    message: str = ""

    def elapsed(self, now: float) -> float:
        """Seconds it has run, so far or altogether."""
        return 0.0 if self.since is None else (self.until or now) - self.since

    @property
    def step(self) -> str:
        """What the job is doing now; of several copies the lowest numbered one."""
        return self.steps[min(self.steps)] if self.steps else ""


class Board:
    """The jobs of a run by their id, in the order they were first heard of."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self.lines: dict[str, Line] = {}

    def apply(self, change: Change) -> None:
        """Take a change in."""
        if isinstance(change, JobChanged):
            self._apply_job(change)
        elif isinstance(change, StepChanged) and change.job in self.lines:
            steps = self.lines[change.job].steps
            if change.status is StepStatus.RUNNING:
                steps[change.index] = clean_line(change.name)
            elif steps.get(change.index) == clean_line(change.name):
                del steps[change.index]

    def is_news(self, change: JobChanged) -> bool:
        """True when the job was not in this state before."""
        line = self.lines.get(change.job)
        return line is None or line.status is not change.status

    def _apply_job(self, change: JobChanged) -> None:
        news = self.is_news(change)
        line = self.lines.get(change.job)
        if line is None:
            line = self.lines[change.job] = Line(
                clean_line(change.name), change.kind, change.status, steps={}
            )
        if change.status is JobStatus.RUNNING and news:
            line.since = self._monotonic()
            line.until = None
        if change.status.is_terminal:
            line.until = self._monotonic()
            line.steps.clear()
        line.status, line.attempt, line.message = change.status, change.attempt, clean_line(change.message)

    def count(self, *statuses: JobStatus) -> int:
        """How many jobs are in one of the states."""
        return sum(line.status in statuses for line in self.lines.values())
