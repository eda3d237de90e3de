"""The step "Spin up environment": what a job's log says of the time before its first step."""

from collections.abc import Callable

from penstock.agent.chunk import StepLog
from penstock.model.status import StepStatus

NAME = "Spin up environment"


class SpinUp:
    """Looks on while a place is prepared. The step exists once there is something to say."""

    def __init__(self, begin: Callable[[], tuple[int, StepLog]], breathe: Callable[[], None]) -> None:
        self._begin = begin
        self._step: tuple[int, StepLog] | None = None
        self.breathe = breathe

    def say(self, text: str) -> None:
        """Tell the user what is going on, a line at a time."""
        if self._step is None:
            self._step = self._begin()
        self._step[1].say(text)

    def end(self, finish: Callable[[int, StepStatus, int | None, str], None], problem: str = "") -> None:
        """The place is there, or cannot be for the reason given."""
        if problem:
            self.say(problem)
        if self._step is not None:
            number, log = self._step
            log.finish()
            finish(number, StepStatus.FAILED if problem else StepStatus.SUCCESS, None, problem)
