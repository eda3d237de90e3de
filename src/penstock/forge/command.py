"""Calls git: one place that sets its environment, bounds its time and words its failures."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from penstock.forge.process import Bounds, Done, OverdueError, run_process
from penstock.model.errors import LimitExceededError, RefusedError, UnavailableError

_QUIET = (
    "-c", "core.hooksPath=/dev/null",
    "-c", "core.fsmonitor=false",
    "-c", "gc.auto=0",
    "-c", "maintenance.auto=false",
    "-c", "advice.addEmbeddedRepo=false",
)  # fmt: skip
_ASIDE = ("hint:", "warning:")
_TOLD = 4  # lines
_USUAL = Bounds()  # a git that hangs on a dead mount must not hang us


class GitFailedError(RefusedError):
    """Git refused; the sentence is git's own, without its hints. `told` is all it said."""

    def __init__(self, sentence: str, told: str = "") -> None:
        super().__init__(sentence)
        self.told = told


def run_git(
    *arguments: str,
    cwd: Path,
    environment: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    bounds: Bounds = _USUAL,
) -> str:
    """What git printed, without the last newline; raises as `call_git` does."""
    printed = call_git(*arguments, cwd=cwd, environment=environment, stdin=stdin, bounds=bounds)
    return printed.decode(errors="surrogateescape").removesuffix("\n")


def call_git(
    *arguments: str,
    cwd: Path,
    environment: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    bounds: Bounds = _USUAL,
    inherit: Sequence[int] = (),
) -> bytes:
    """What git printed.

    Variables of the caller's own git (`GIT_DIR` in a hook, say) are left out, hooks and daemons of the
    repository are not started, and nothing is asked at a terminal. Raises GitFailedError when git exits
    with an error, UnavailableError when git is missing or does not answer, and LimitExceededError when it
    prints more than it may. `inherit` are descriptors git keeps open.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    fixed = {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    name = f"git {_name_command(arguments)}"
    try:
        done = run_process(
            ["git", *_QUIET, *arguments],
            cwd=cwd,
            environment=inherited | fixed | dict(environment or {}),
            stdin=stdin,
            bounds=bounds,
            inherit=inherit,
        )
    except FileNotFoundError:
        if not cwd.is_dir():
            raise RefusedError(f"no such folder: {cwd}") from None
        raise UnavailableError("git is not installed or not on PATH") from None
    except OverdueError:
        raise OverdueError(f"{name} did not answer within {bounds.seconds:.0f} s") from None
    except LimitExceededError as error:
        raise LimitExceededError(f"{name}: {error}") from None
    if done.status != 0:
        raise GitFailedError(f"{name}: {_explain(done)}", done.err.decode(errors="replace"))
    return done.out


def _name_command(arguments: Sequence[str]) -> str:
    """The subcommand among arguments that may begin with `-c NAME=VALUE`."""
    words = iter(arguments)
    for word in words:
        if word != "-c":
            return word
        next(words, None)
    return ""


def _explain(done: Done) -> str:
    """What git said as one line; of a long story its end."""
    lines = [line.strip() for line in done.err.decode(errors="replace").splitlines()]
    told = [line for line in lines if line and not line.startswith(_ASIDE)]
    return " ".join(told[-_TOLD:]) if told else f"exit {done.status}"
