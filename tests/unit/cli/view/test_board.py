"""What a watcher knows of a run."""

from penstock.cli.view.board import Board
from penstock.model.status import JobStatus, StepStatus
from tests.support.changes import Ticks, job, step


def test_a_job_counts_its_time_from_when_it_runs_to_when_it_ends() -> None:
    ticks = Ticks()
    board = Board(ticks)
    board.apply(job("a", JobStatus.QUEUED))
    assert board.lines["a"].elapsed(ticks.now) == 0
    board.apply(job("a", JobStatus.RUNNING))
    ticks.now += 3
    assert board.lines["a"].elapsed(ticks.now) == 3
    board.apply(job("a", JobStatus.SUCCESS))
    ticks.now += 50
    assert board.lines["a"].elapsed(ticks.now) == 3


def test_a_second_attempt_counts_anew() -> None:
    ticks = Ticks()
    board = Board(ticks)
    for status in (JobStatus.RUNNING, JobStatus.QUEUED):
        board.apply(job("a", status))
        ticks.now += 10
    board.apply(job("a", JobStatus.RUNNING, attempt=2))
    ticks.now += 1
    assert board.lines["a"].elapsed(ticks.now) == 1
    assert board.lines["a"].attempt == 2


def test_the_step_shown_is_that_of_the_lowest_copy_that_is_at_one() -> None:
    board = Board(Ticks())
    board.apply(job("a", JobStatus.RUNNING))
    assert board.lines["a"].step == ""
    board.apply(step("a", "install", StepStatus.RUNNING, index=1))
    board.apply(step("a", "test", StepStatus.RUNNING, index=0))
    assert board.lines["a"].step == "test"
    board.apply(step("a", "test", StepStatus.SUCCESS, index=0))
    assert board.lines["a"].step == "install"
    board.apply(job("a", JobStatus.FAILED))
    assert board.lines["a"].step == ""


def test_a_step_in_the_background_that_ends_takes_no_other_off_the_board() -> None:
    board = Board(Ticks())
    board.apply(job("a", JobStatus.RUNNING))
    board.apply(step("a", "serve", StepStatus.RUNNING, number=0))
    board.apply(step("a", "test", StepStatus.RUNNING, number=1))
    board.apply(step("a", "serve", StepStatus.SUCCESS, number=0))
    assert board.lines["a"].step == "test"


def test_a_step_of_a_job_nobody_spoke_of_is_let_pass() -> None:
    board = Board(Ticks())
    board.apply(step("a", "test", StepStatus.RUNNING))
    assert board.lines == {}


def test_only_another_status_is_news() -> None:
    board = Board(Ticks())
    assert board.is_news(job("a", JobStatus.QUEUED))
    board.apply(job("a", JobStatus.QUEUED))
    assert not board.is_news(job("a", JobStatus.QUEUED))
    assert board.is_news(job("a", JobStatus.RUNNING))


def test_jobs_are_counted_by_status() -> None:
    board = Board(Ticks())
    for name, status in (("a", JobStatus.BLOCKED), ("b", JobStatus.QUEUED), ("c", JobStatus.RUNNING)):
        board.apply(job(name, status))
    assert board.count(JobStatus.BLOCKED, JobStatus.QUEUED) == 2


def test_what_steers_a_terminal_is_not_on_the_board() -> None:
    board = Board(Ticks())
    board.apply(job("a\x1b[2Jb", JobStatus.RUNNING, message="\x1b]0;title\x07gone"))
    board.apply(step("a\x1b[2Jb", "one\ntwo\x1b[31m", StepStatus.RUNNING))
    (line,) = board.lines.values()
    assert (line.name, line.step, line.message) == ("ab", "one two", "gone")
