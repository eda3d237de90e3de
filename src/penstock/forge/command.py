"""Calls git: one place that sets its environment, bounds its time and words its failures."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from penstock.model.errors import RefusedError, UnavailableError

_QUIET = (
    "-c", "core.hooksPath=/dev/null",
    "-c", "core.fsmonitor=false",
    "-c", "gc.auto=0",
    "-c", "maintenance.auto=false",
    "-c", "advice.addEmbeddedRepo=false",
)  # fmt: skip
_ASIDE = ("hint:", "warning:")
_TOLD = 4  # lines
_LIMIT = 300.0  # seconds; a git that hangs on a dead mount must not hang us


class GitFailedError(RefusedError):
    """Git refused; the sentence is git's own, without its hints."""


def run_git(
    *arguments: str, cwd: Path, environment: Mapping[str, str] | None = None, stdin: bytes = b""
) -> str:
    """What git printed, without the last newline.

    Variables of the caller's own git (`GIT_DIR` in a hook, say) are left out, hooks and daemons of the
    repository are not started, and nothing is asked at a terminal. Raises GitFailedError when git exits
    with an error and UnavailableError when git is missing or does not answer.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    fixed = {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            ["git", *_QUIET, *arguments],
            cwd=cwd,
            env=inherited | fixed | dict(environment or {}),
            input=stdin,
            capture_output=True,
            start_new_session=True,  # Ctrl-C is for us to answer, not for git
            timeout=_LIMIT,
            check=False,
        )
    except FileNotFoundError:
        if not cwd.is_dir():
            raise RefusedError(f"no such folder: {cwd}") from None
        raise UnavailableError("git is not installed or not on PATH") from None
    except subprocess.TimeoutExpired:
        raise UnavailableError(
            f"git {_name_command(arguments)} did not answer within {_LIMIT:.0f} s"
        ) from None
    if done.returncode != 0:
        raise GitFailedError(f"git {_name_command(arguments)}: {_explain(done.stderr, done.returncode)}")
    return done.stdout.decode(errors="surrogateescape").removesuffix("\n")


def _name_command(arguments: Sequence[str]) -> str:
    """The subcommand among arguments that may begin with `-c NAME=VALUE`."""
    words = iter(arguments)
    for word in words:
        if word != "-c":
            return word
        next(words, None)
    return ""


def _explain(stderr: bytes, status: int) -> str:
    """What git said as one line; of a long story its end."""
    lines = [line.strip() for line in stderr.decode(errors="replace").splitlines()]
    told = [line for line in lines if line and not line.startswith(_ASIDE)]
    return " ".join(told[-_TOLD:]) if told else f"exit {status}"
