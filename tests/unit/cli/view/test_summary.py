"""What stands below a run that is over."""

from pathlib import Path

import pytest

from penstock.bootstrap.home import Home
from penstock.bootstrap.local import Ending
from penstock.bootstrap.parts import open_parts
from penstock.cli.view.results import MOST_ARTIFACTS, MOST_FAILURES, WIDEST
from penstock.cli.view.summary import show_summary
from penstock.model.status import JobKind, JobStatus, PipelineStatus, Reason, WorkflowStatus
from penstock.model.summary import FailedStep, JobSummary, RunSummary, TestTotals, WorkflowSummary


def a_job(
    name: str,
    status: JobStatus = JobStatus.SUCCESS,
    *,
    reason: Reason = Reason.NONE,
    message: str = "",
    failed_step: FailedStep | None = None,
    tests: TestTotals | None = None,
    artifacts: tuple[str, ...] = (),
) -> JobSummary:
    """A job that ran for two seconds, once."""
    return JobSummary(
        uuid=name,
        number=1,
        name=name,
        kind=JobKind.BUILD,
        status=status,
        reason=reason,
        attempt=1,
        parallelism=1,
        seconds=2.0,
        message=message,
        failed_step=failed_step,
        tests=tests,
        artifacts=artifacts,
    )


class Shown:
    """Shows summaries of one workflow and returns what was printed."""

    def __init__(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._tmp_path = tmp_path
        self._capsys = capsys

    def __call__(
        self,
        *jobs: JobSummary,
        outcome: WorkflowStatus | None = WorkflowStatus.SUCCESS,
        reason: Reason = Reason.NONE,
        interrupted: bool = False,
        held: tuple[str, ...] = (),
        folder: Path | None = None,
        output: Path | None = None,
    ) -> str:
        """What is printed for a run of these jobs that took three seconds."""
        status = outcome or WorkflowStatus.ON_HOLD
        workflow = WorkflowSummary(
            uuid="w", name="main", repeated=False, status=status, reason=reason, jobs=jobs
        )
        summary = RunSummary(
            pipeline="p",
            number=7,
            project="local/app",
            branch="main",
            tag="",
            sha="a" * 40,
            created_at=0,
            workflows=(workflow,),
        )
        ending = Ending(
            pipeline="p",
            outcome=outcome,
            status=PipelineStatus.CREATED,
            interrupted=interrupted,
            folder=folder,
            held=held,
            summary=summary,
        )
        parts = open_parts(Home(root=self._tmp_path))
        try:
            show_summary(parts, summary, ending, seconds=3.0, output=output)
        finally:
            parts.db.close()
        return self._capsys.readouterr().out


@pytest.fixture
def show(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shown:
    return Shown(tmp_path, capsys)


def test_a_run_that_passed_is_a_line_for_each_job_and_a_verdict(show: Shown) -> None:
    assert show(a_job("a"), a_job("longer")).splitlines() == [
        "",
        "✓ main: success",
        "  ✓ a:      success  2.0s",
        "  ✓ longer: success  2.0s",
        "",
        "Pipeline 7: success in 3.0s",
        "Logs: penstock logs --run 7",
    ]


def test_a_name_that_is_very_long_does_not_push_the_others_away(show: Shown) -> None:
    lines = show(a_job("a"), a_job("x" * 200)).splitlines()
    assert len(lines[2]) < WIDEST + 30


def test_a_failed_step_comes_first_with_its_message(show: Shown) -> None:
    step = FailedStep(task_id=1, index=0, step=3, name="test", exit_code=4, message="Exited with 4")
    text = show(a_job("a", JobStatus.FAILED, failed_step=step), outcome=WorkflowStatus.FAILED)
    assert text.startswith("\na: test failed, exit 4\n  Exited with 4\n")
    assert "Pipeline 7: failed in 3.0s" in text


def test_why_a_job_did_not_run_is_told(show: Shown) -> None:
    text = show(a_job("a", JobStatus.NOT_RUN, reason=Reason.DEPENDENCY), outcome=WorkflowStatus.FAILED)
    assert "what it requires did not pass" in text


def test_tests_are_counted_together_and_failures_named_up_to_a_bound(show: Shown) -> None:
    names = tuple(f"t{number}" for number in range(MOST_FAILURES + 5))
    many = TestTotals(passed=3, failed=len(names), skipped=0, failures=names)
    few = TestTotals(passed=1, failed=0, skipped=2, failures=())
    text = show(a_job("a", tests=many), a_job("b", tests=few))
    assert f"Tests: 4 passed, {len(names)} failed, 2 skipped" in text
    assert "  a: t0\n" in text
    assert "and 5 more" in text
    assert f"t{MOST_FAILURES}\n" not in text


def test_artifacts_are_listed_up_to_a_bound(show: Shown) -> None:
    paths = tuple(f"file{number}" for number in range(MOST_ARTIFACTS + 2))
    text = show(a_job("a", artifacts=paths))
    assert f"Artifacts: {len(paths)}\n  a: file0\n" in text
    assert "  and 2 more" in text


def test_an_interrupted_run_is_called_so(show: Shown) -> None:
    text = show(
        a_job("a", JobStatus.CANCELED),
        outcome=WorkflowStatus.CANCELED,
        reason=Reason.INTERRUPTED,
        interrupted=True,
    )
    assert "■ main: canceled (interrupted)" in text
    assert "Pipeline 7: interrupted" in text


def test_a_run_on_hold_says_how_to_go_on(show: Shown) -> None:
    text = show(a_job("hold", JobStatus.ON_HOLD), outcome=None, held=("hold",))
    assert "--approve hold" in text
    assert "success" not in text


def test_where_things_are_is_told(show: Shown) -> None:
    text = show(a_job("a"), folder=Path("/kept/run"), output=Path("out"))
    assert "Kept: /kept/run" in text
    assert "Logs: out/logs" in text


def test_nothing_of_a_job_steers_the_terminal(show: Shown) -> None:
    step = FailedStep(task_id=1, index=0, step=0, name="\x1b[2Jtest", message="\x1b]0;title\x07over")
    text = show(
        a_job("\x1b[31mevil", JobStatus.FAILED, failed_step=step, artifacts=("\x1b[1A",)),
        outcome=WorkflowStatus.FAILED,
    )
    assert "\x1b" not in text
    assert "evil: test failed\n  over\n" in text
