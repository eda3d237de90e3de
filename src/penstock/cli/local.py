"""Runs an order of `penstock run`: shows it while it goes on, and sums it up."""

import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from penstock.bootstrap.config import Compiled, Question
from penstock.bootstrap.export import export_run, prepare_folder
from penstock.bootstrap.home import find_home
from penstock.bootstrap.local import Ending, LocalRun, Order
from penstock.bootstrap.parts import WAY_OUT
from penstock.cli.exit import Exit
from penstock.cli.view.choose import View, choose_view
from penstock.cli.view.json_lines import JsonView
from penstock.cli.view.summary import show_summary
from penstock.engine.feed import Change
from penstock.engine.history import find_run
from penstock.engine.variables import GivenVariables
from penstock.model.errors import UnavailableError
from penstock.model.status import OUTCOME_OF_JOB, Outcome, PipelineStatus, WorkflowStatus
from penstock.plan.plan import Plan
from penstock.plan.select import Selection

_WAITING = {PipelineStatus.SETUP, PipelineStatus.SETUP_PENDING}
_BAD = {Outcome.FAILED, Outcome.UNAUTHORIZED}

if TYPE_CHECKING:
    from penstock.agent.executor.docker.engine import Engine


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What `penstock run` was asked to do, checked."""

    question: Question
    compiled: Compiled
    selection: Selection
    announce: Callable[[Plan], None]
    variables: GivenVariables
    slots: int
    time_limit: float
    engine: "Engine | None"
    anything: bool
    approve: tuple[str, ...]
    output: Path | None
    json: bool
    verbose: bool
    keep: bool
    begun: float


def run_order(settings: Settings) -> int:
    """Run, show, sum up; returns the exit status."""
    order = Order(
        question=settings.question,
        compiled=settings.compiled,
        selection=settings.selection,
        announce=settings.announce,
        variables=settings.variables,
        slots=settings.slots,
        time_limit=settings.time_limit,
        engine=settings.engine,
        anything=settings.anything,
        approve=settings.approve,
        keep=settings.keep,
    )
    logging.getLogger("penstock").setLevel(logging.ERROR)  # what it warns of comes out as one sentence
    if settings.output is not None:
        prepare_folder(settings.output)
    home = find_home()
    with LocalRun(home, order) as local:
        view = Watcher(choose_view(json=settings.json, verbose=settings.verbose), local.interrupt)
        try:
            ending = local.run(view.on_change)
        except UnavailableError as error:
            raise UnavailableError(
                f"{error}. The run was stopped. Its data folder is {home.root}; {WAY_OUT}"
            ) from error
        finally:
            view.close()
        view.raise_failure()
        _sum_up(settings, local, ending, view.view)
        return exit_status(ending)


class Watcher:
    """Hands changes to a view until it fails to write them; then the run is canceled: nobody sees it."""

    def __init__(self, view: View, cancel: Callable[[], None]) -> None:
        self.view = view
        self._cancel = cancel
        self._failure: OSError | None = None

    def on_change(self, change: Change) -> None:
        """Show the change. Never raises for what is wrong with the output."""
        self._attempt(lambda: self.view.on_change(change))

    def close(self) -> None:
        """Show what is held back."""
        self._attempt(self.view.close)

    def raise_failure(self) -> None:
        """Raise what kept the view from writing, if anything did."""
        if self._failure is not None:
            raise self._failure

    def _attempt(self, show: Callable[[], None]) -> None:
        if self._failure is not None:
            return
        try:
            show()
        except OSError as error:
            self._failure = error
            self._cancel()


def exit_status(ending: Ending) -> int:
    """What the shell is told."""
    if ending.interrupted:
        return Exit.INTERRUPTED
    if ending.status is PipelineStatus.ERRORED:
        return Exit.USAGE
    if ending.outcome is None:  # approvals are left; what ran beside them may have failed
        jobs = (job for workflow in ending.summary.workflows for job in workflow.jobs)
        return Exit.FAILED if any(OUTCOME_OF_JOB.get(job.status) in _BAD for job in jobs) else Exit.SUCCESS
    return Exit.SUCCESS if ending.outcome is WorkflowStatus.SUCCESS else Exit.FAILED


def _sum_up(settings: Settings, local: LocalRun, ending: Ending, view: View) -> None:
    """Export and show the results; those that cannot be exported are shown all the same."""
    parts = local.parts
    pipeline = find_run(parts, ending.pipeline)
    output, problem = settings.output, None
    if output is not None:
        try:
            export_run(parts, pipeline, output)
        except UnavailableError as error:
            output, problem = None, error
    summary = ending.summary
    seconds = time.monotonic() - settings.begun
    if isinstance(view, JsonView):
        outcome = ending.outcome.value if ending.outcome else "on_hold"
        plain = msgspec.to_builtins(summary)
        view.write({"type": "summary", "outcome": outcome, "seconds": round(seconds, 3)} | plain)
    else:
        show_summary(parts, summary, ending, seconds=seconds, output=output)
        if ending.status in _WAITING and ending.outcome is WorkflowStatus.SUCCESS:
            print("penstock: the setup workflow has not continued the pipeline", file=sys.stderr)
    if problem is not None:
        raise problem
