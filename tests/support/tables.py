"""State tables as text: the golden files say what the machines do, and the page for developers shows them."""

from collections.abc import Callable, Iterable
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from penstock.lifecycle.events import (
    AnyEvent,
    Approved,
    CancelRequested,
    JobCancelRequested,
    JobFinished,
    JobLost,
    JobRefused,
    JobStarted,
    LockGranted,
    RetryDue,
    TimeLimitReached,
)
from penstock.lifecycle.graph import Graph
from penstock.lifecycle.job import MOVE_OF_VERDICT, JobMove, advance_job
from penstock.lifecycle.pipeline import PipelineMove, advance_pipeline
from penstock.lifecycle.state import JobState, WorkflowState
from penstock.lifecycle.task import TaskMove, advance_task
from penstock.lifecycle.workflow import advance
from penstock.model.errors import RefusedError
from penstock.model.status import JobKind, JobStatus, PipelineStatus, Reason, TaskStatus, WorkflowStatus
from penstock.plan.step import Retry
from penstock.plan.workflow import PASSED, JobPlan, WorkflowPlan

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden" / "lifecycle"
PAGE = ROOT / "docs" / "develop" / "lifecycle.md"

S = TypeVar("S", bound=StrEnum)
M = TypeVar("M", bound=StrEnum)

REFUSED = "refused"
SAME = "."


def try_move(advance: Callable[[S, M], S], state: S, move: M) -> str:
    """The name of the state after the move, `.` when it is the same, or `refused`."""
    try:
        after = advance(state, move)
    except RefusedError:
        return REFUSED
    return SAME if after is state else after.value


def draw_table(advance: Callable[[S, M], S], states: Iterable[S], moves: Iterable[M]) -> str:
    """The full product of states and moves as a Markdown table: a row per move, a column per state."""
    columns = list(states)
    rows = [["move", *(state.value for state in columns)]]
    rows.extend([move.value, *(try_move(advance, state, move) for state in columns)] for move in moves)
    return draw_rows(rows)


def draw_rows(rows: list[list[str]]) -> str:
    """Rows of cells as a Markdown table with aligned columns; the first row is the heading."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]]) + "\n"


ATTEMPT = 1

EVENTS: tuple[tuple[str, AnyEvent], ...] = (
    ("started", JobStarted(key="job", attempt=ATTEMPT)),
    *(
        (f"finished: {status}", JobFinished(key="job", attempt=ATTEMPT, status=status))
        for status in MOVE_OF_VERDICT
    ),
    ("lost before work", JobLost(key="job", attempt=ATTEMPT, work_started=False)),
    ("lost with work", JobLost(key="job", attempt=ATTEMPT, work_started=True)),
    ("lock granted", LockGranted(key="job")),
    ("retry due", RetryDue(key="job", attempt=ATTEMPT)),
    ("approved", Approved(key="job", by="ada")),
    (
        "refused: unauthorized",
        JobRefused(key="job", status=JobStatus.UNAUTHORIZED, reason=Reason.UNAUTHORIZED),
    ),
    (
        "refused: no agent",
        JobRefused(key="job", status=JobStatus.INFRASTRUCTURE_FAIL, reason=Reason.NO_AGENT),
    ),
    (
        "refused: superseded",
        JobRefused(key="job", status=JobStatus.NOT_RUN, reason=Reason.SUPERSEDED),
    ),
    ("job canceled", JobCancelRequested(key="job")),
    ("workflow canceled", CancelRequested()),
    ("time over", TimeLimitReached()),
)


def try_event(status: JobStatus, event: AnyEvent) -> str:
    """The status of a job in the midst of its workflow after the event.

    The job is in a serial group and waits for its lock when waiting; when on hold it is an approval. It
    has no attempt left. What it needs is running, so that a blocked job stays blocked.
    """
    kind = JobKind.APPROVAL if status is JobStatus.ON_HOLD else JobKind.BUILD
    job = JobPlan(
        name="job", kind=kind, needs={"first": PASSED}, serial_group="door", rescue=Retry(attempts=1)
    )
    graph = Graph.of(WorkflowPlan(name="main", jobs={"first": JobPlan(name="first"), "job": job}))
    tried = status not in {JobStatus.BLOCKED, JobStatus.ON_HOLD, JobStatus.WAITING}
    jobs = {
        "first": JobState(status=JobStatus.RUNNING, attempt=ATTEMPT),
        "job": JobState(status=status, attempt=ATTEMPT if tried else 0),
    }
    locks = {"door": "job"} if tried and not status.is_terminal else {}
    state = WorkflowState(jobs=jobs, status=WorkflowStatus.RUNNING, begun=True, locks=locks)
    try:
        after = advance(graph, state, event).state.jobs["job"].status
    except RefusedError:
        return REFUSED
    return SAME if after is status else after.value


def draw_events() -> str:
    """Every event about a job in every status it can find the job in."""
    rows = [["event", *(status.value for status in JobStatus)]]
    rows.extend([name, *(try_event(status, event) for status in JobStatus)] for name, event in EVENTS)
    return draw_rows(rows)


def draw_all() -> dict[str, str]:
    """Every table by its name, as the code has it now."""
    return {
        "job": draw_table(advance_job, JobStatus, JobMove),
        "event": draw_events(),
        "task": draw_table(advance_task, TaskStatus, TaskMove),
        "pipeline": draw_table(advance_pipeline, PipelineStatus, PipelineMove),
    }


def read_golden(name: str) -> str:
    """The table as it was agreed."""
    return (GOLDEN / f"{name}.md").read_text()


def fill_page(page: str, tables: dict[str, str]) -> str:
    """The page with each table between its `<!-- table: name -->` and `<!-- end -->`."""
    for name, table in tables.items():
        head, found, rest = page.partition(f"<!-- table: {name} -->\n")
        assert found, f"{PAGE.name} has no place for table {name}"
        _, end, tail = rest.partition("<!-- end -->")
        assert end, f"table {name} of {PAGE.name} has no end"
        page = f"{head}{found}\n{table}\n{end}{tail}"
    return page


def accept() -> None:
    """The golden files and the page say what the code does now: run it after a change, read the diff."""
    tables = draw_all()
    for name, table in tables.items():
        (GOLDEN / f"{name}.md").write_text(table)
    PAGE.write_text(fill_page(PAGE.read_text(), tables))


if __name__ == "__main__":
    accept()
