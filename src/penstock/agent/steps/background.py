"""Background steps: started in their turn, read all the time, ended with the job."""

from penstock.agent.context import Result, StepContext, TaskContext
from penstock.agent.executor.base import Running
from penstock.agent.pump import Channel
from penstock.agent.steps.run import make_request
from penstock.model.errors import RefusedError
from penstock.model.status import StepStatus
from penstock.plan.step import Run


class BackgroundSteps:
    """The background steps of one task. Their failure does not fail the job (CircleCI docs: background)."""

    def __init__(self, task: TaskContext) -> None:
        self._task = task
        self._running: list[tuple[StepContext, Running, Channel]] = []

    def start(self, step: Run, context: StepContext) -> Result:
        """Start the step; it fails only when it cannot be started."""
        try:
            running, channel = context.start(make_request(step, context))
        except (RefusedError, OSError) as error:
            message = str(error)
            context.log.say(message)
            context.log.finish()
            self._task.reporter.step_finished(context.step, StepStatus.FAILED, None, message)
            return Result(StepStatus.FAILED, None, message)
        self._running.append((context, running, channel))
        return Result()

    def report_ended(self) -> None:
        """Report those that have ended by themselves."""
        for entry in list(self._running):
            context, running, _ = entry
            exit_code = running.poll()
            if exit_code is not None:
                self._running.remove(entry)
                status = StepStatus.SUCCESS if exit_code == 0 else StepStatus.FAILED
                self._finish(context, running, status, exit_code, "")

    def end(self) -> None:
        """End those that still run, which is no failure."""
        self.report_ended()
        for context, running, channel in self._running:
            self._task.pump.end(running, channel, self._task.tuning.background_grace)
            self._finish(context, running, StepStatus.SUCCESS, None, "ended with the job")
        self._running.clear()

    def _finish(
        self, context: StepContext, running: Running, status: StepStatus, exit_code: int | None, message: str
    ) -> None:
        running.close()
        context.log.finish()
        self._task.reporter.step_finished(context.step, status, exit_code, message)
