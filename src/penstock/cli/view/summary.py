"""What stands below a local run when it is over: its results, and where the logs are."""

from collections.abc import Iterator
from pathlib import Path

from penstock.bootstrap.local import Ending
from penstock.cli.view.results import Paint, list_results
from penstock.engine.history import tail_log
from penstock.engine.unit import Parts
from penstock.kit.durations import format_duration
from penstock.model.status import WorkflowStatus
from penstock.model.summary import JobSummary, RunSummary

LAST_LINES = 20
"""Lines shown of a step that failed."""


def show_summary(
    parts: Parts, summary: RunSummary, ending: Ending, *, seconds: float, output: Path | None
) -> None:
    """Print the summary of a run that has ended."""
    paint = Paint()

    def read_tail(job: JobSummary) -> str:
        step = job.failed_step
        return tail_log(parts, step.task_id, step.step, LAST_LINES) if step is not None else ""

    for line in list_results(summary, read_tail, paint):
        paint.print(line)
    paint.print("")
    for line in _show_end(summary, ending, seconds, output, paint):
        paint.print(line)


def _show_end(
    summary: RunSummary, ending: Ending, seconds: float, output: Path | None, paint: Paint
) -> Iterator[str]:
    if ending.outcome is None:
        names = " ".join(f"--approve {name}" for name in ending.held)
        yield f"On hold after {format_duration(seconds)}: waits for approval. Run again with {names}"
    else:
        verdict = "interrupted" if ending.interrupted else ending.outcome.value
        color = "green" if ending.outcome is WorkflowStatus.SUCCESS else "red"
        yield paint.color(f"Pipeline {summary.number}: {verdict} in {format_duration(seconds)}", color)
    if ending.folder is not None:
        yield f"Kept: {ending.folder}"
    yield f"Logs: {output / 'logs'}" if output else f"Logs: penstock logs --run {summary.number}"
