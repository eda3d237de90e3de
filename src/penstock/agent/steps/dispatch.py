"""Which function does which kind of step."""

from penstock.agent.context import Result, StepContext
from penstock.agent.steps.run import run_command
from penstock.model.errors import RefusedError
from penstock.plan.step import AnyStep, Run


def run_step(step: AnyStep, context: StepContext) -> Result:
    """Do the step. Raises PenstockError or OSError when it cannot be done."""
    match step:
        case Run():
            return run_command(step, context)
        case _:
            raise RefusedError(f"this agent cannot run a step of the kind {type(step).__name__} yet")
