"""Steps that one parallel copy does for all of them, after the others have passed."""

from penstock.agent.context import StepContext
from penstock.model.errors import RefusedError
from penstock.model.status import TaskStatus
from penstock.plan.step import Run, When


def is_mine(step: Run, context: StepContext) -> bool:
    """True when this copy is to do the step now (CircleCI config reference: deploy).

    The first copy waits for the others, which do nothing; a step for failures is not waited for. Raises
    RefusedError when another copy is not taken by any agent.
    """
    assignment, log = context.task.assignment, context.log
    if not step.once or assignment.total == 1:
        return True
    if assignment.index > 0:
        log.say(f"Only the first of the {assignment.total} parallel copies does this")
        return False
    if step.when is When.ON_FAIL:
        return True
    passed = all(status is TaskStatus.SUCCESS for status in wait_for_others(context))
    if not passed and step.when is When.ON_SUCCESS:
        log.say("Not done: another parallel copy did not pass")
        return False
    return True


def wait_for_others(context: StepContext) -> tuple[TaskStatus, ...]:
    """How the other copies ended, when they have."""
    task, told = context.task, False
    queued_since = task.clock.monotonic()
    while True:
        others = context.persist(lambda: task.transport.find_others(task.assignment.task))
        left = sum(not status.is_terminal for status in others)
        if not left:
            return others
        if not told:
            context.log.say(f"Waiting for {left} other parallel cop{'y' if left == 1 else 'ies'}")
            context.log.flush()
            told = True
        if TaskStatus.QUEUED not in others:
            queued_since = task.clock.monotonic()
        elif task.clock.monotonic() - queued_since > task.tuning.company:
            raise RefusedError("another parallel copy is not taken by any agent")
        task.pump.pause(task.tuning.look)
        context.breathe()
