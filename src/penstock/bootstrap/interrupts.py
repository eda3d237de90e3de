"""What Ctrl-C, SIGTERM and SIGHUP mean to a run, from its first moment to its last."""

import signal
from collections.abc import Callable
from enum import Enum, auto
from types import FrameType
from typing import Self, assert_never

from penstock.kit.interrupts import WANTED


class Phase(Enum):
    """Where a run is.

    BEFORE -> RUNNING -> AFTER -> LEAVING (from each of them)
    """

    BEFORE = auto()  # nothing is stored yet: ends with KeyboardInterrupt
    RUNNING = auto()  # canceled in good order
    AFTER = auto()  # all is stored, results are shown: ends with KeyboardInterrupt
    LEAVING = auto()  # what is left is being put away, in bounded time: ignored


class Interrupts:
    """Inside, the signals are heeded as the phase says; afterwards, to the end of the process, ignored.

    The exit status is decided then, and Python would answer one more Ctrl-C in its last moments with
    another. A signal that whoever started us wants ignored, as a shell does for jobs in the background,
    stays so.
    """

    def __init__(self, cancel: Callable[[], None]) -> None:
        self.phase = Phase.BEFORE
        self._cancel = cancel
        self._asked = False
        self._heeded: list[signal.Signals] = []

    def __enter__(self) -> Self:
        for number in WANTED:
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._heeded.append(number)
                signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        for number in self._heeded:
            signal.signal(number, signal.SIG_IGN)

    def start_run(self) -> None:
        """From here on the run is canceled; raises KeyboardInterrupt when that was asked for before.

        It was raised then, too, but code that is run while modules are imported may have swallowed it.
        """
        if self._asked:
            raise KeyboardInterrupt
        self.phase = Phase.RUNNING

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        match self.phase:
            case Phase.BEFORE | Phase.AFTER:
                self._asked = True
                raise KeyboardInterrupt
            case Phase.RUNNING:
                self._cancel()
            case Phase.LEAVING:
                pass
            case other:
                assert_never(other)
