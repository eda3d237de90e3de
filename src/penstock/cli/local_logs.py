"""What the jobs of a past run on this machine printed."""

import sys
from pathlib import Path

from penstock.bootstrap.home import find_home
from penstock.bootstrap.parts import open_parts
from penstock.cli.exit import Exit
from penstock.engine.history import StepLog, find_run, list_job_names, list_logs, read_log
from penstock.engine.unit import Parts
from penstock.forge.checkout import read_checkout
from penstock.model.errors import NotFoundError


def print_run(job: str, run: str, *, step: str, headings: bool) -> int:
    """Print what the job of the run printed, of all jobs without one. Raises NotFoundError."""
    parts = open_parts(find_home())
    try:
        identity = read_checkout(Path()).identity
        slug = f"{identity.organization}/{identity.name}"
        pipeline = find_run(parts, run, project=slug)
        found = list_logs(parts, pipeline, job or None)
        if not found and job and job not in (names := list_job_names(parts, pipeline)):
            raise NotFoundError(
                f"run {pipeline.number} has no job {job!r}; there are {', '.join(names) or 'none'}"
            )
        chosen = [log for log in found if step.lower() in log.step.name.lower()]
        if step and not chosen:
            raise NotFoundError(f"run {pipeline.number} has no step whose name contains {step!r}")
        _write(parts, chosen, headings=headings and len(chosen) > 1)
    finally:
        parts.db.close()
    return Exit.SUCCESS


def _write(parts: Parts, found: list[StepLog], *, headings: bool) -> None:
    out = sys.stdout.buffer
    for log in found:
        if headings:
            copy = f" ({log.task.index})" if log.job.parallelism > 1 else ""
            again = f" attempt {log.task.attempt}" if log.task.attempt > 1 else ""
            out.write(f"==> {log.job.name}{copy}{again} / {log.step.name}\n".encode())
        last = b"\n"
        for piece in read_log(parts, log):
            out.write(piece)
            last = piece
        if headings and not last.endswith(b"\n"):
            out.write(b"\n")
    out.flush()
