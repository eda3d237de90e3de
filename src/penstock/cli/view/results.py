"""What a run has left, for people: failures, verdicts, warnings, tests, artifacts."""

import os
import sys
from collections.abc import Callable, Iterator

from penstock.cli.view.printable import clean_line, clean_lines
from penstock.cli.view.symbols import OF_JOB, OF_WORKFLOW, Symbol, sign, speaks_unicode
from penstock.kit.durations import format_duration
from penstock.model.status import JobStatus, Reason
from penstock.model.summary import JobSummary, RunSummary, WorkflowSummary

ReadTail = Callable[[JobSummary], str]
"""The last lines of the step that failed the job."""

WIDEST = 40
"""Characters to which the names of jobs are filled up, so that what follows stands in a column."""

MOST_ARTIFACTS = 20
MOST_FAILURES = 30

_REASONS = {
    Reason.DEPENDENCY: "what it requires did not pass",
    Reason.CONDITION: "its condition says no",
    Reason.TIMEOUT: "time limit",
    Reason.NO_OUTPUT: "no output",
    Reason.INTERRUPTED: "interrupted",
    Reason.AGENT_LOST: "lost",
    Reason.USER: "canceled",
}
_COLORS = {"green": "32", "red": "31", "yellow": "33", "bright_black": "90", "magenta": "35", "cyan": "36"}


def list_results(summary: RunSummary, read_tail: ReadTail, paint: "Paint") -> Iterator[str]:
    """The lines about a run that has ended, above its verdict."""
    yield from _show_failures(summary, read_tail, paint)
    for workflow in summary.workflows:
        yield from _show_workflow(workflow, paint)
    yield from _show_warnings(summary)
    yield from _show_tests(summary)
    yield from _show_artifacts(summary)


class Paint:
    """Colours and signs, as far as the output knows them."""

    def __init__(self) -> None:
        self.unicode = speaks_unicode(sys.stdout)
        self.colored = sys.stdout.isatty() and not os.environ.get("NO_COLOR")

    def mark(self, symbol: Symbol) -> str:
        """The symbol's sign in its colour."""
        return self.color(sign(symbol, unicode=self.unicode), symbol.style)

    def color(self, text: str, style: str) -> str:
        """The text in a colour, in a terminal."""
        return f"\x1b[{_COLORS[style]}m{text}\x1b[0m" if self.colored else text

    def print(self, line: str) -> None:
        """Write the line, with what the output cannot carry replaced and what steers a terminal left out."""
        encoding = sys.stdout.encoding or "utf-8"
        line = clean_line(line, colors=self.colored)
        print(line.encode(encoding, "replace").decode(encoding))


def _show_failures(summary: RunSummary, read_tail: ReadTail, paint: Paint) -> Iterator[str]:
    """The last lines of each step that failed a job; of a repeated workflow only the last run's."""
    for workflow in (each for each in summary.workflows if not each.repeated):
        for job in workflow.jobs:
            step = job.failed_step
            if step is None:
                continue
            copy = f" (copy {step.index})" if job.parallelism > 1 else ""
            code = f", exit {step.exit_code}" if step.exit_code is not None else ""
            yield ""
            yield paint.color(f"{job.name}{copy}: {step.name} failed{code}", "red")
            text = read_tail(job)
            yield from (f"  {line}" for line in clean_lines(text, colors=paint.colored))
            if step.message and step.message not in text:
                yield f"  {step.message}"


def _show_workflow(workflow: WorkflowSummary, paint: Paint) -> Iterator[str]:
    yield ""
    reason = f" ({_REASONS[workflow.reason]})" if workflow.reason in _REASONS else ""
    yield f"{paint.mark(OF_WORKFLOW[workflow.status])} {workflow.name}: {workflow.status.value}{reason}"
    width = min(max((len(job.name) for job in workflow.jobs), default=0), WIDEST)
    for job in workflow.jobs:
        yield f"  {paint.mark(OF_JOB[job.status])} {_show_job(job, width)}"


def _show_job(job: JobSummary, width: int) -> str:
    name = f"{job.name}:".ljust(width + 1)
    time = f"  {format_duration(job.seconds)}" if job.seconds is not None else ""
    attempt = f"  attempt {job.attempt}" if job.attempt > 1 else ""
    why = job.message or (_REASONS.get(job.reason, "") if job.status is not JobStatus.SUCCESS else "")
    return f"{name} {job.status.value}{time}{attempt}{f'  {why}' if why else ''}"


def _show_warnings(summary: RunSummary) -> Iterator[str]:
    told = [(job, each) for flow in summary.workflows for job in flow.jobs for each in job.warnings]
    if told:
        yield ""
        yield from (f"Warning: {job.name}: {each}" for job, each in told)


def _show_tests(summary: RunSummary) -> Iterator[str]:
    """All tests together, then the names of those that failed."""
    totals = [(job, job.tests) for flow in summary.workflows for job in flow.jobs if job.tests]
    if not totals:
        return
    passed, failed = sum(each.passed for _, each in totals), sum(each.failed for _, each in totals)
    skipped = sum(each.skipped for _, each in totals)
    yield ""
    yield f"Tests: {passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else "")
    names = [f"  {job.name}: {name}" for job, each in totals for name in each.failures]
    yield from names[:MOST_FAILURES]
    if len(names) > MOST_FAILURES:
        yield f"  and {failed - MOST_FAILURES} more"


def _show_artifacts(summary: RunSummary) -> Iterator[str]:
    paths = [
        f"  {job.name}: {path}" for flow in summary.workflows for job in flow.jobs for path in job.artifacts
    ]
    if paths:
        yield ""
        yield f"Artifacts: {len(paths)}"
        yield from paths[:MOST_ARTIFACTS]
        if len(paths) > MOST_ARTIFACTS:
            yield f"  and {len(paths) - MOST_ARTIFACTS} more"
