"""A run as plain lines."""

import io

from penstock.cli.view.plain import PlainView
from penstock.engine.feed import Change
from penstock.model.status import JobStatus, StepStatus
from tests.support.changes import Ticks, job, output, step


def show(*changes: Change, verbose: bool = False, encoding: str = "utf-8") -> list[str]:
    """The lines written for the changes; a second passes before each."""
    raw, ticks = io.BytesIO(), Ticks()
    stream = io.TextIOWrapper(raw, encoding=encoding, newline="\n")
    view = PlainView(stream, ticks, verbose=verbose)
    for change in changes:
        ticks.now += 1
        view.on_change(change)
    view.close()
    return raw.getvalue().decode(encoding).split("\n")[:-1]


def test_a_job_is_told_when_it_begins_and_when_it_ends() -> None:
    assert show(
        job("a", JobStatus.BLOCKED),
        job("a", JobStatus.QUEUED),
        job("a", JobStatus.RUNNING),
        job("a", JobStatus.RUNNING),
        step("a", "test", StepStatus.RUNNING),
        step("a", "test", StepStatus.FAILED, message="exit 3"),
        job("a", JobStatus.FAILED, message="exit 3"),
    ) == ["● a: started", "  ✗ a / test (1.0s): exit 3", "✗ a: failed in 4.0s: exit 3"]


def test_a_job_that_never_ran_has_no_time() -> None:
    assert show(job("a", JobStatus.NOT_RUN)) == ["○ a: not_run"]


def test_an_approval_that_waits_is_told() -> None:
    assert show(job("hold", JobStatus.ON_HOLD)) == ["⏸ hold: waits for approval"]


def test_another_attempt_is_told_as_one() -> None:
    assert show(job("a", JobStatus.RUNNING, attempt=2)) == ["● a: started (attempt 2)"]


def test_output_is_shown_line_by_line_only_when_wanted() -> None:
    changes = (
        job("a", JobStatus.RUNNING),
        output("a", b"one\ntw"),
        output("a", b"o\nrest"),
        step("a", "test", StepStatus.SUCCESS),
    )
    assert show(*changes)[1:] == ["  ✓ a / test (0.0s)"]
    assert show(*changes, verbose=True)[1:] == [
        "    a | one",
        "    a | two",
        "    a | rest",
        "  ✓ a / test (0.0s)",
    ]


def test_output_of_a_run_that_broke_off_is_not_lost() -> None:
    assert show(output("a", b"rest"), verbose=True) == ["    a | rest"]


def test_output_of_two_copies_is_not_mixed_within_lines() -> None:
    lines = show(
        output("a", b"o", index=0), output("a", b"t", index=1), output("a", b"ne\n", index=0), verbose=True
    )
    assert lines == ["    a | one", "    a | t"]


def test_a_letter_cut_in_two_is_whole_again() -> None:
    data = "ü\n".encode()
    assert show(output("a", data[:1]), output("a", data[1:]), verbose=True) == ["    a | ü"]


def test_what_the_output_cannot_carry_is_replaced() -> None:
    assert show(job("ü", JobStatus.RUNNING), encoding="ascii") == [".. ?: started"]


def test_colours_do_not_reach_what_is_no_terminal() -> None:
    assert show(output("a", b"\x1b[31mred\x1b[2J\n1%\r2%\n"), verbose=True) == ["    a | red", "    a | 2%"]
