"""Work that recurs for as long as a server runs, each kind in a thread of its own."""

import logging
import random
import threading
import time
from collections.abc import Callable

from penstock.model.errors import UnavailableError
from penstock.store.failures import RolledBackError

_log = logging.getLogger(__name__)

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 10.0


class Loop:
    """Calls `work` again and again until stopped; it returns in how many seconds it wants to be called next.

        new -> running (after `start`) -> stopping (after `stop`) -> ended (after `join`)

    What fails is tried again after a pause that grows. A database or disk that is away is said once, and
    once more when it is back.
    """

    def __init__(
        self, name: str, work: Callable[[], float], close: Callable[[], None] = lambda: None
    ) -> None:
        self.name = name
        self._work = work
        self._close = close  # called in the thread when the last round has ended
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"penstock-{name}", daemon=True)
        self.failing = ""  # why the last round failed, "" when it did not
        self.seen = time.monotonic()  # when the last round ended

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """The next round is due now."""
        self._wake.set()

    def stop(self) -> None:
        """No round begins any more."""
        self._stop.set()
        self._wake.set()

    def join(self) -> None:
        """Return when the last round has ended."""
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        pause = FIRST_PAUSE
        while not self._stop.is_set():
            rest = self._attempt()
            if rest is None:
                rest = random.uniform(0.5, 1) * pause  # noqa: S311 - spreads servers
                pause = min(pause * 2, LONGEST_PAUSE)
            else:
                pause = FIRST_PAUSE
            if rest:
                self._wake.wait(rest)
            self._wake.clear()
        self._close()

    def _attempt(self) -> float | None:
        """One round; None when it failed."""
        try:
            rest = self._work()
        except (UnavailableError, RolledBackError) as error:
            self._complain(f"{self.name}: waits, since {error}")
            return None
        except Exception as error:  # noqa: BLE001 - the outermost loop of the thread: the next round may do
            _log.exception("%s: failed, to be tried again", self.name)
            self.failing = repr(error)
            return None
        finally:
            self.seen = time.monotonic()
        if self.failing:
            _log.info("%s: goes on", self.name)
        self.failing = ""
        return rest

    def _complain(self, sentence: str) -> None:
        if not self.failing:
            _log.warning("%s", sentence)
        self.failing = sentence
