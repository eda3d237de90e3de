"""Past runs on this machine, as a list."""

import sys
from pathlib import Path

import msgspec

from penstock.bootstrap.home import find_home
from penstock.bootstrap.local import recover_runs
from penstock.bootstrap.parts import open_parts
from penstock.cli.exit import Exit
from penstock.cli.view.results import Paint
from penstock.cli.view.symbols import OF_WORKFLOW, STANDING
from penstock.engine.history import PastRun, list_runs
from penstock.forge.checkout import read_checkout
from penstock.kit.clock import to_datetime
from penstock.kit.durations import format_duration


def print_runs(limit: int, *, everywhere: bool, json: bool) -> int:
    """Print the runs of this project, or of all, newest first."""
    home = find_home()
    parts = open_parts(home)
    try:
        recover_runs(parts, home)
        identity = read_checkout(Path()).identity
        project = None if everywhere else f"{identity.organization}/{identity.name}"
        found = list_runs(parts, project=project, limit=limit)
    finally:
        parts.db.close()
    if json:
        for run in found:
            sys.stdout.buffer.write(msgspec.json.encode(run) + b"\n")
        return Exit.SUCCESS
    paint = Paint()
    for run in found:
        paint.print(_describe(run, paint, everywhere=everywhere))
    if not found:
        print("There are no runs of this project yet." if not everywhere else "There are no runs yet.")
    return Exit.SUCCESS


def _describe(run: PastRun, paint: Paint, *, everywhere: bool) -> str:
    pipeline = run.pipeline
    when = to_datetime(pipeline.created_at).astimezone().strftime("%Y-%m-%d %H:%M")
    symbol = OF_WORKFLOW[run.outcome] if run.outcome else STANDING
    verdict = run.outcome.value if run.outcome else pipeline.status.value
    took = format_duration((run.stopped_at - pipeline.created_at) / 1000) if run.stopped_at else ""
    ref = pipeline.revision.tag or pipeline.revision.branch or pipeline.revision.sha[:12]
    changed = "*" if pipeline.revision.overlay else ""
    place = f"{run.project}  " if everywhere else ""
    return (
        f"{paint.mark(symbol)} {pipeline.number:>4}  {when}  {verdict:<12} {took:>8}  "
        f"{place}{ref}{changed}  {run.jobs} jobs"
    )
