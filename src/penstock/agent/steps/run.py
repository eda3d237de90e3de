"""The run step: a command text given to a shell."""

from math import inf
from pathlib import PurePosixPath

from penstock.agent.context import Result, StepContext
from penstock.agent.executor.base import Place, Request
from penstock.agent.steps.once import is_mine
from penstock.plan.step import Run

_TAKE_TEXT = frozenset({"ash", "bash", "dash", "ksh", "sh", "zsh"})
_LONG = 100_000  # bytes; Linux refuses a single argument of 128 KiB


def run_command(step: Run, context: StepContext) -> Result:
    """Run the command to its end, unless another copy does."""
    if not is_mine(step, context):
        return Result()
    return context.execute(make_request(step, context), step.no_output_timeout or inf)


def make_request(step: Run, context: StepContext) -> Request:
    """The process a run step asks for."""
    shell = step.shell or context.task.assignment.plan.shell
    words = tuple(shell.split()) if shell else context.place.default_shell()
    return Request(
        argv=build_command(
            words, step.command, context.place, f"{context.place.control}/step-{context.step}"
        ),
        environment={**context.task.environment, **step.environment},
        directory=context.resolve(step.working_directory),
    )


def build_command(shell: tuple[str, ...], command: str, place: Place, script: str) -> tuple[str, ...]:
    """The command line that runs a text.

    A first line with `#!` names the interpreter (used by orbs). Shells that take a text get it with -c;
    other interpreters, and texts too long for an argument, get a script file.
    """
    if command.startswith("#!"):
        place.write(script, command.encode())
        line = command.partition("\n")[0][2:].split(None, 1)
        return (*line[:1], *(part.strip() for part in line[1:]), script) if line else (*shell, script)
    takes_text = shell[-1] == "-c" or PurePosixPath(shell[0]).name in _TAKE_TEXT
    if takes_text and len(command) <= _LONG and len(command.encode()) <= _LONG:
        return (*shell, command) if shell[-1] == "-c" else (*shell, "-c", command)
    place.write(script, command.encode())
    return (*(word for word in shell if word != "-c"), script)
