"""What a signal means at each moment of a run."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress

import pytest

from penstock.bootstrap.interrupts import Interrupts, Phase

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in NUMBERS}
    for number in NUMBERS:
        signal.signal(number, signal.default_int_handler)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("phase", [Phase.BEFORE, Phase.AFTER])
def test_before_and_after_the_run_a_signal_ends_the_command(phase: Phase, number: signal.Signals) -> None:
    calls: list[int] = []
    with Interrupts(lambda: calls.append(1)) as interrupts:
        interrupts.phase = phase
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
    assert calls == []


def test_a_signal_whose_exception_somebody_swallowed_still_keeps_the_run_from_starting() -> None:
    with Interrupts(lambda: None) as interrupts:
        with suppress(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            interrupts.start_run()
        assert interrupts.phase is Phase.BEFORE


@pytest.mark.parametrize("number", NUMBERS)
def test_during_the_run_each_signal_is_passed_on(number: signal.Signals) -> None:
    calls: list[int] = []
    with Interrupts(lambda: calls.append(1)) as interrupts:
        interrupts.start_run()
        os.kill(os.getpid(), number)
        os.kill(os.getpid(), number)
    assert len(calls) == 2


def test_while_leaving_and_ever_after_signals_are_ignored() -> None:
    with Interrupts(lambda: None) as interrupts:
        interrupts.phase = Phase.LEAVING
        for number in NUMBERS:
            os.kill(os.getpid(), number)
    for number in NUMBERS:
        os.kill(os.getpid(), number)
        assert signal.getsignal(number) is signal.SIG_IGN


def test_what_is_ignored_from_the_start_stays_ignored() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with Interrupts(lambda: None):
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        os.kill(os.getpid(), signal.SIGHUP)
