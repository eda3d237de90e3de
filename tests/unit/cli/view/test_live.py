"""A run in a terminal, drawn onto a console that records."""

import io
from collections.abc import Iterator

import pytest
from rich.console import Console

from penstock.cli.view.live import LiveView
from penstock.model.status import JobStatus, StepStatus
from tests.support.changes import Ticks, job, step


class Screen:
    """A view on a console of the given size."""

    def __init__(self, width: int = 60, height: int = 10) -> None:
        self.file = io.StringIO()
        self.console = Console(
            file=self.file,
            width=width,
            height=height,
            force_terminal=True,
            color_system=None,
            highlight=False,
        )
        self.ticks = Ticks()
        self.view = LiveView(self.console, self.ticks)

    def above(self) -> str:
        """What stays."""
        self.view.close()
        return self.file.getvalue()

    def drawing(self) -> list[str]:
        """The lines that are drawn now and taken away again."""
        plain = Console(
            file=io.StringIO(), width=self.console.width, height=self.console.height, color_system=None
        )
        plain.print(self.view._draw())
        assert isinstance(plain.file, io.StringIO)
        return [line.rstrip() for line in plain.file.getvalue().splitlines() if line.strip()]


@pytest.fixture
def screen() -> Iterator[Screen]:
    made = Screen()
    yield made
    made.view.close()


def test_a_running_job_shows_step_and_time(screen: Screen) -> None:
    screen.view.on_change(job("build", JobStatus.RUNNING))
    screen.view.on_change(step("build", "install", StepStatus.RUNNING))
    screen.ticks.now += 2
    assert screen.drawing() == ["● build 2.0s install"]


def test_what_is_ahead_is_counted_and_what_is_held_is_named(screen: Screen) -> None:
    for name, status in (("a", JobStatus.BLOCKED), ("b", JobStatus.QUEUED), ("hold", JobStatus.ON_HOLD)):
        screen.view.on_change(job(name, status))
    first, last = screen.drawing()
    assert "hold" in first
    assert "waits for approval" in first
    assert last == "2 waiting"


def test_an_ended_job_stays_above_and_leaves_the_drawing(screen: Screen) -> None:
    screen.view.on_change(job("build", JobStatus.RUNNING))
    screen.ticks.now += 5
    screen.view.on_change(job("build", JobStatus.TIMEDOUT, message="no output"))
    assert screen.drawing() == []
    assert "✗ build timedout 5.0s no output" in screen.above()


def test_an_end_is_told_once(screen: Screen) -> None:
    for _ in range(3):
        screen.view.on_change(job("build", JobStatus.SUCCESS))
    assert screen.above().count("✓ build") == 1


def test_names_are_no_markup(screen: Screen) -> None:
    screen.view.on_change(job("[red]a[/red] [/]", JobStatus.FAILED, message="[bold]"))
    assert "[red]a[/red] [/] failed [bold]" in screen.above()


def test_more_jobs_than_lines_are_counted() -> None:
    screen = Screen(height=6)
    for number in range(10):
        screen.view.on_change(job(f"j{number}", JobStatus.RUNNING))
    drawn = screen.drawing()
    screen.view.close()
    assert len(drawn) < 6
    assert "7 more running" in drawn[-1]


def test_a_narrow_terminal_gets_one_line_for_each_job() -> None:
    screen = Screen(width=30)
    screen.view.on_change(job("a-name-that-is-longer-than-the-line", JobStatus.RUNNING))
    screen.view.on_change(step("a-name-that-is-longer-than-the-line", "a step " * 20, StepStatus.RUNNING))
    drawn = screen.drawing()
    screen.view.close()
    assert len(drawn) == 1
    assert len(drawn[0]) <= 30
