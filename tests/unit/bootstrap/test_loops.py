"""Recurring work goes on whatever a round does."""

import logging
import threading
from collections.abc import Callable

import pytest

from penstock.bootstrap import loops
from penstock.bootstrap.loops import Loop
from penstock.model.errors import UnavailableError
from tests.support.processes import wait_until


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "FIRST_PAUSE", 0.01)


def run_script(script: list[Exception | None]) -> Loop:
    """A loop that has raised and returned what the script says, and has ended."""
    left = list(script)

    def work() -> float:
        if not left:
            return 1000
        step = left.pop(0)
        if step is not None:
            raise step
        return 0

    loop = Loop("worker", work)
    loop.start()
    wait_until(lambda: not left, what="the script is over")
    loop.stop()
    loop.join()
    return loop


def test_a_part_that_is_away_is_said_once_and_once_more_when_it_is_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "penstock")
    away = UnavailableError("the disk is full")
    loop = run_script([None, away, away, away, None, None])
    assert [record.message for record in caplog.records] == [
        "worker: waits, since the disk is full",
        "worker: goes on",
    ]
    assert loop.failing == ""


def test_a_fault_of_ours_does_not_end_the_loop(caplog: pytest.LogCaptureFixture) -> None:
    run_script([KeyError("x"), None])
    assert "KeyError" in caplog.text


def test_a_loop_is_woken_and_stopped_at_once() -> None:
    rounds: list[int] = []
    done = threading.Event()

    def work() -> float:
        rounds.append(1)
        done.set()
        return 1000

    loop = Loop("worker", work)
    loop.start()
    assert done.wait(5)
    done.clear()
    loop.wake()
    assert done.wait(5)
    loop.stop()
    loop.join()
    assert len(rounds) == 2


def test_a_loop_that_never_began_ends_as_well() -> None:
    work: Callable[[], float] = lambda: 0  # noqa: E731 - never called
    loop = Loop("worker", work)
    loop.stop()
    loop.join()
