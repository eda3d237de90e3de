"""How a task is run: a place is prepared, steps run in order, what is left behind is ended.

prepare ── step ── step ── … ── end processes ── TaskFinished ── remove
    └────────── failure, limit, stop ──────────┘
"""

from functools import partial
from math import inf

import msgspec

from penstock.agent.chunk import StepLog
from penstock.agent.context import Result, StepContext, TaskContext, Tools, interrupt
from penstock.agent.continuation import answer_request
from penstock.agent.control import Control, Force
from penstock.agent.executor.base import Executor, LostPlaceError, Place
from penstock.agent.identity import answer_wish
from penstock.agent.mask import Secrets
from penstock.agent.pump import Ending, InterruptedStepError, Pump
from penstock.agent.reply import Answer, Answers, Errand
from penstock.agent.report import Reporter
from penstock.agent.spin_up import NAME, SpinUp
from penstock.agent.steps.background import BackgroundSteps
from penstock.agent.steps.credentials import list_forms
from penstock.agent.steps.dispatch import run_step
from penstock.model.errors import PenstockError, RefusedError
from penstock.model.status import Reason, StepStatus, TaskStatus
from penstock.model.usage import Used
from penstock.plan.step import AnyStep, Run, RuntimeCondition, Tool, When
from penstock.wire.messages import Assignment

_FINAL = {Ending.STOP, Ending.JOB_TIME, Ending.LOST}  # after these trying again is no use


class Verdict(msgspec.Struct, frozen=True):
    """How a task ended."""

    status: TaskStatus = TaskStatus.SUCCESS
    reason: Reason = Reason.NONE
    message: str = ""

    @property
    def failed(self) -> bool:
        """True when something that counts went wrong."""
        return self.status is not TaskStatus.SUCCESS


class Session:
    """One run of one task, on the thread that calls it."""

    def __init__(self, assignment: Assignment, reporter: Reporter, control: Control, tools: Tools) -> None:
        self._assignment = assignment
        self._reporter = reporter
        self._control = control
        self._tools = tools
        self._pump = Pump(control, tools.clock, tools.tuning)
        self._secrets = Secrets((*assignment.secrets, *list_forms(assignment.source)))
        self._verdict = Verdict()
        self._place: Place | None = None
        self.used: Used | None = None  # once it is over
        self._over = False  # nothing runs any more, whatever its `when`

    def run(self, executor: Executor) -> Verdict:
        """Run the task and report everything but its end.

        Afterwards no process of the task is alive; its folder stays until `remove`. A task that was
        stopped silently has muted its reporter.
        """
        self._reporter.task_started()
        spin_up = SpinUp(self._begin_spin_up, self._pump.breathe)
        try:
            self._place = executor.prepare(self._assignment, spin_up)
        except InterruptedStepError:
            spin_up.end(self._reporter.step_finished, "stopped")
            self._heed_stop()
        except PenstockError as error:
            spin_up.end(self._reporter.step_finished, str(error))
            self._verdict = Verdict(TaskStatus.INFRASTRUCTURE_FAIL, Reason.INTERNAL, str(error))
        else:
            spin_up.end(self._reporter.step_finished)
            self._run_in(self._place)
        return self._verdict

    def _begin_spin_up(self) -> tuple[int, StepLog]:
        number = self._reporter.step_started(NAME, "spin_up")
        return number, StepLog(number, self._reporter, self._secrets, self._tools.clock)

    def remove(self) -> None:
        """Nothing is left of the task on this machine."""
        if self._place is not None:
            self._place.end_processes()
            self._place.remove()

    def _run_in(self, place: Place) -> None:
        task = TaskContext(self._assignment, place, self._reporter, self._pump, self._tools)
        background = BackgroundSteps(task)
        self._tools.sampler.begin(place)
        try:
            self._run_steps(task, background)
            background.end()
            self._tell_troubles(place)
        except RefusedError as error:
            self._verdict = Verdict(TaskStatus.FAILED, Reason.MALFORMED, str(error))
        except LostPlaceError as error:
            self._lose(str(error))
        finally:
            self.used = self._tools.sampler.end(place)
            place.end_processes()
            self._pump.close()
        background.report_ended()
        self._heed_stop()

    def _tell_troubles(self, place: Place) -> None:
        """What no failed step has told yet is a step of its own."""
        spin_up = SpinUp(self._begin_spin_up, self._pump.breathe)
        for trouble in place.list_troubles():
            spin_up.say(trouble)
        spin_up.end(self._reporter.step_finished)

    def _run_steps(self, task: TaskContext, background: BackgroundSteps) -> None:
        limit = self._assignment.plan.time_limit
        allowed = self._tools.tuning.job_time if limit is None else limit
        self._pump.deadline = self._tools.clock.monotonic() + allowed
        task.place.make_folder(task.directory)
        answers = self._list_answers(task)
        if answers:
            task.place.serve(answers)
        for name, known in (("timings", self._assignment.timings), ("failed", self._assignment.failed)):
            if known:
                task.place.write(f"{task.place.control}/{name}.json", msgspec.json.encode(known))
        for step in self._assignment.plan.steps:
            self._heed_stop()
            if self._over or task.is_halted():
                break
            if self._is_due(step):
                self._run_step(step, task, background)
            background.report_ended()

    def _list_answers(self, task: TaskContext) -> Answers:
        """What the job may ask through the in-job commands."""
        uuid = self._assignment.task
        answers: dict[Errand, Answer] = {}
        if self._assignment.continues:
            answers[Errand.CONTINUE] = partial(answer_request, task.transport, uuid)
        if self._assignment.vouched:
            answers[Errand.IDENTITY] = partial(answer_wish, task.transport, uuid, self._secrets.add)
        return answers

    def _is_due(self, step: AnyStep) -> bool:
        """Whether the step's turn has come (CircleCI config reference: when)."""
        canceled = self._verdict.status is TaskStatus.CANCELED
        match step.when:
            case When.ALWAYS:
                return True
            case When.ON_FAIL:
                return self._verdict.failed and not canceled
            case When.ON_SUCCESS:
                return not self._verdict.failed

    def _run_step(self, step: AnyStep, task: TaskContext, background: BackgroundSteps) -> None:
        """Run the step, again after failures as often as it asks, and let it count."""
        result = self._attempt(step, task, background)
        for _ in range(step.retry.attempts - 1):
            if result is None or result.status is StepStatus.SUCCESS:
                break
            if result.ending in _FINAL or not self._wait_for_retry(step.retry.delay):
                break
            result = self._attempt(step, task, background)
        if result is not None:
            self._count(step, result)

    def _wait_for_retry(self, delay: float) -> bool:
        try:
            self._pump.pause(delay)
        except InterruptedStepError:
            return False
        return True

    def _attempt(self, step: AnyStep, task: TaskContext, background: BackgroundSteps) -> Result | None:
        """One run of the step with its events; None when its condition says no."""
        try:
            if not self._holds(step.condition, task):
                return None
            problem = ""
        except RefusedError as error:
            problem = str(error)
        in_background = isinstance(step, Run | Tool) and step.background
        if isinstance(step, Run) and step.once:
            in_background = False
        kind = str(type(step).__struct_config__.tag)
        number = self._reporter.step_started(step.name, kind, background=in_background)
        log = StepLog(number, self._reporter, self._secrets, self._tools.clock)
        deadline = inf if step.timeout is None else self._tools.clock.monotonic() + step.timeout
        context = StepContext(task, number, log, deadline)
        if isinstance(step, Run) and in_background and not problem:
            return background.start(step, context)
        result = fail(problem, log) if problem else attempt_step(step, context)
        if result.status is not StepStatus.SUCCESS:
            for trouble in task.place.list_troubles():
                log.say(trouble)
        log.finish()
        self._reporter.step_finished(number, result.status, result.exit_code, result.message)
        return result

    def _holds(self, condition: RuntimeCondition | None, task: TaskContext) -> bool:
        if condition is None:
            return True
        decide = self._tools.conditions.get(condition.language)
        if decide is None:
            raise RefusedError(f"this agent cannot decide conditions written in {condition.language!r}")
        return decide(condition.text, {"failed": self._verdict.failed, "environment": task.environment})

    def _count(self, step: AnyStep, result: Result) -> None:
        """Let the result of a step change the verdict; the first failure gives the reason."""
        if result.ending is Ending.JOB_TIME:
            self._over = True
            if self._verdict.status is not TaskStatus.CANCELED:
                self._verdict = Verdict(TaskStatus.TIMEDOUT, Reason.TIMEOUT, result.message)
        elif result.ending is Ending.LOST:
            self._lose(result.message)
        elif step.counts and not self._verdict.failed and result.ending is not Ending.STOP:
            self._verdict = judge_task(result)

    def _lose(self, message: str) -> None:
        """The place is gone: nothing more can run; a verdict that was reached before stays."""
        self._over = True
        if not self._verdict.failed:
            self._verdict = Verdict(TaskStatus.INFRASTRUCTURE_FAIL, Reason.AGENT_LOST, message)

    def _heed_stop(self) -> None:
        """Take note of a stop that was asked for."""
        stop = self._control.stop
        if stop is None or (self._pump.tolerated is not None and stop.force <= self._pump.tolerated):
            return
        self._pump.tolerated = stop.force
        self._verdict = Verdict(TaskStatus.CANCELED, stop.reason)
        if stop.reason is Reason.INTERRUPTED:
            self._verdict = Verdict(TaskStatus.INFRASTRUCTURE_FAIL, stop.reason, "the agent was stopped")
        if stop.force is Force.CLEAN_UP:
            self._pump.deadline = self._tools.clock.monotonic() + self._tools.tuning.clean_up
            return
        self._over = True
        if stop.force is Force.SILENT:
            self._reporter.mute()


def judge_task(result: Result) -> Verdict:
    """The verdict on a task whose first counting step ended like this."""
    match result.status, result.ending:
        case StepStatus.SUCCESS, _:
            return Verdict()
        case _, Ending.SILENCE:
            return Verdict(TaskStatus.TIMEDOUT, Reason.NO_OUTPUT, result.message)
        case _, Ending.STEP_TIME:
            return Verdict(TaskStatus.TIMEDOUT, Reason.TIMEOUT, result.message)
        case _:
            return Verdict(TaskStatus.FAILED, Reason.TEST, result.message)


def attempt_step(step: AnyStep, context: StepContext) -> Result:
    """Do the step; what it cannot do is its failure, said in its log."""
    try:
        return run_step(step, context)
    except InterruptedStepError as error:
        return interrupt(error.ending)
    except LostPlaceError as error:
        return fail(str(error), context.log, Ending.LOST)
    except PenstockError as error:
        return fail(str(error), context.log)
    except OSError as error:
        return fail(f"the machine refused: {error}", context.log)


def fail(message: str, log: StepLog, ending: Ending = Ending.EXIT) -> Result:
    """A failure that is no exit code."""
    log.say(message)
    return Result(StepStatus.FAILED, None, message, ending)
