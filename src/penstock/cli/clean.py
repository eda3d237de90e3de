"""`penstock clean`: what past runs left on this machine goes."""

from typing import Annotated

import msgspec
from cyclopts import Parameter

from penstock.agent.steps.transfer import format_size
from penstock.bootstrap.cleaning import clean_home
from penstock.bootstrap.home import find_home
from penstock.cli.exit import Exit
from penstock.kit.durations import parse_duration
from penstock.model.errors import InvalidError

MOST_SECONDS = 100 * 365 * 86400
Flag = Parameter(negative="")


def clean(
    *,
    older_than: Annotated[str, Parameter(show_default=True)] = "30d",
    keep: Annotated[int, Parameter(show_default=True)] = 10,
    caches: Annotated[bool, Flag] = False,
    dry_run: Annotated[bool, Flag] = False,
    json: Annotated[bool, Flag] = False,
) -> int:
    """Remove runs that ended long ago, with all they left, and old caches.

    Parameters
    ----------
    older_than
        How long ago a run must have ended, like 30d, 12h or 0s; caches go at the same age.
    keep
        The newest runs of each project that stay however old they are.
    caches
        Remove every cache.
    dry_run
        Only say what would go.
    json
        Print one JSON object.
    """
    if keep < 0:
        raise InvalidError("--keep must be 0 or more")
    try:
        seconds = parse_duration(older_than)
    except ValueError as error:
        raise InvalidError(f"--older-than: {error}") from error
    if seconds > MOST_SECONDS:
        raise InvalidError("--older-than must be at most a hundred years")
    report = clean_home(find_home(), older_than=seconds, keep=keep, caches=caches, dry_run=dry_run)
    if json:
        print(msgspec.json.encode(report).decode())
        return Exit.SUCCESS
    verb = "Would remove" if dry_run else "Removed"
    print(
        f"{verb} {count(report.runs, 'run')}, {count(report.caches, 'cache')} and "
        f"{count(report.files, 'file')}: {format_size(report.freed)}"
    )
    return Exit.SUCCESS


def count(number: int, noun: str) -> str:
    """The number with its noun."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
