"""What a step gets to do its work: its task's place, pump and transport, its own log and limits."""

from collections.abc import Callable, Mapping
from functools import cached_property
from math import inf
from typing import TypeVar

import msgspec

from penstock.agent.chunk import StepLog
from penstock.agent.executor.base import Place, Request, Running
from penstock.agent.pump import Channel, Ending, Limits, Pump
from penstock.agent.report import Reporter
from penstock.agent.sampling import Sampler
from penstock.agent.transport import Transport
from penstock.agent.tuning import Tuning
from penstock.kit.clock import Clock
from penstock.kit.durations import format_go_duration
from penstock.model.errors import UnavailableError
from penstock.model.status import StepStatus
from penstock.wire.messages import Assignment

Answer = TypeVar("Answer")
_GO_SAYS = "context deadline exceeded"  # scripts that read logs look for it


class Result(msgspec.Struct, frozen=True):
    """How a step ended."""

    status: StepStatus = StepStatus.SUCCESS
    exit_code: int | None = None
    message: str = ""
    ending: Ending = Ending.EXIT


Condition = Callable[[str, Mapping[str, object]], bool]
"""Decides a run-time condition from its text and what is known: `failed` (bool) and `environment`."""


class Tools(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent lends to each of its tasks; `conditions` are deciders by their language."""

    transport: Transport
    clock: Clock
    tuning: Tuning = Tuning()
    conditions: Mapping[str, Condition] = {}
    sampler: Sampler = msgspec.field(default_factory=lambda: Sampler(0))


class TaskContext:
    """What all steps of a task share."""

    def __init__(
        self, assignment: Assignment, place: Place, reporter: Reporter, pump: Pump, tools: Tools
    ) -> None:
        self.assignment = assignment
        self.place = place
        self.reporter = reporter
        self.pump = pump
        self.transport = tools.transport
        self.clock = tools.clock
        self.tuning = tools.tuning
        self.artifact_bytes = 0

    @cached_property
    def environment(self) -> Mapping[str, str]:
        """The variables of a step that sets none (CircleCI docs: order of precedence)."""
        named = name_folders(self.place) if self.assignment.language == "circleci" else {}
        given = self.assignment.environment
        return {**self.place.variables, **named, **given, **self.assignment.plan.environment}

    @cached_property
    def directory(self) -> str:
        """The job's working directory, absolute."""
        return self.place.resolve(self.assignment.plan.working_directory or "~/project", self.place.home)

    def is_halted(self) -> bool:
        """True once a step said `circleci-agent step halt`."""
        return self.place.find_kind(f"{self.place.control}/halt") is not None


def name_folders(place: Place) -> dict[str, str]:
    """Variables that name what a place has, as scripts written for CircleCI look for it."""
    named = {
        "CIRCLE_INTERNAL_TASK_DATA": place.control,
        "CIRCLE_INTERNAL_SCRATCH": place.variables.get("TMPDIR", "/tmp"),  # noqa: S108 - the place's own
        "CIRCLE_SHELL_ENV": place.variables.get("BASH_ENV", ""),
    }
    return {name: value for name, value in named.items() if value}


class StepContext:
    """What one step gets."""

    def __init__(self, task: TaskContext, step: int, log: StepLog, deadline: float = inf) -> None:
        self.task = task
        self.place = task.place
        self.step = step
        self.log = log
        self.deadline = deadline

    def resolve(self, path: str) -> str:
        """The absolute path: relative ones begin at the job's working directory."""
        return self.place.resolve(path, self.task.directory)

    def breathe(self) -> None:
        """To be called often by long work: other output flows, a stop or a limit interrupts."""
        self.task.pump.breathe(self.deadline)
        while not self.log.has_room:
            self.task.pump.pause(0.02)

    def start(self, request: Request) -> tuple[Running, Channel]:
        """Start a process whose output is this step's log."""
        running = self.place.start(request)
        return running, self.task.pump.follow(running, self.log)

    def execute(self, request: Request, silence: float = inf) -> Result:
        """Run a process to its end, or end it when it must."""
        return self.watch(self.place.start(request), silence)

    def watch(self, running: Running, silence: float = inf) -> Result:
        """Read what a process writes until it ends, or end it when it must."""
        channel = self.task.pump.follow(running, self.log)
        try:
            ending = self.task.pump.wait(running, channel, Limits(silence=silence, deadline=self.deadline))
            if ending is not Ending.EXIT:
                self.task.pump.end(running, channel, self.task.tuning.grace)
            return judge(ending, running.poll(), silence)
        finally:
            running.close()

    def settle(self) -> None:
        """The server has all that was said so far, unless it stays away: later questions will count on it."""
        reporter, clock = self.task.reporter, self.task.clock
        last, until = reporter.sequence, clock.monotonic() + self.task.tuning.persistence
        reporter.hurry()
        while not reporter.is_heard(last) and clock.monotonic() < until:
            self.task.pump.pause(0.005)

    def persist(self, call: Callable[[], Answer]) -> Answer:
        """The answer of a call to the server, tried again for a while when it is not available.

        Raises UnavailableError when it stays away, the call's other errors at once.
        """
        pause, until = 0.1, self.task.clock.monotonic() + self.task.tuning.persistence
        while True:
            try:
                return call()
            except UnavailableError as error:
                if self.task.clock.monotonic() + pause >= until:
                    raise
                self.log.say(f"{error}; trying again")
                self.log.flush()
            self.task.pump.pause(pause)
            pause = min(pause * 2, self.task.tuning.retry)


def judge(ending: Ending, exit_code: int | None, silence: float) -> Result:
    """The result of a process by the way its wait ended."""
    if ending is not Ending.EXIT:
        return interrupt(ending, exit_code, silence)
    if exit_code == 0:
        return Result(exit_code=0)
    return Result(StepStatus.FAILED, exit_code, f"Exited with code exit status {exit_code}")


def interrupt(ending: Ending, exit_code: int | None = None, silence: float = inf) -> Result:
    """The result of a step that had to end."""
    match ending:
        case Ending.SILENCE:
            message = f"Too long with no output (exceeded {format_go_duration(silence)}): {_GO_SAYS}"
            return Result(StepStatus.TIMEDOUT, exit_code, message, ending)
        case Ending.STEP_TIME:
            return Result(StepStatus.TIMEDOUT, exit_code, "the step took longer than its time limit", ending)
        case Ending.JOB_TIME:
            return Result(StepStatus.TIMEDOUT, exit_code, "the job took longer than its time limit", ending)
        case Ending.STOP | Ending.EXIT | Ending.LOST:
            return Result(StepStatus.CANCELED, exit_code, "", ending)
