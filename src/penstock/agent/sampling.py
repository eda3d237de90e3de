"""Looks at what tasks use, every few seconds, and keeps the middle and the most of it."""

import logging
import threading
import time
from array import array
from typing import Protocol

from penstock.agent.executor.load import Grant, Load
from penstock.model.errors import PenstockError
from penstock.model.usage import Used

_log = logging.getLogger(__name__)

MOST_KEPT = 4096
"""Looks that are remembered of a task: past that every second is forgotten, and only every second taken."""

LEAST, MOST = 0.01, 86_400.0
"""Seconds between looks are within these."""

_FAREWELL = 2.0
_WHOLE = 10_000  # hundredths of a percent
_MOST = 10_000_000


class Watched(Protocol):
    """Where a task runs, as far as its load is concerned."""

    @property
    def grant(self) -> Grant:
        """What counts as all there is."""
        ...

    def read_load(self) -> Load | None:
        """What it uses, None when that cannot be told. May be called from any thread."""
        ...


class Samples:
    """Shares of something, in hundredths of a percent: the most of all, and the middle of those kept."""

    def __init__(self) -> None:
        self.most = 0
        self._kept = array("l")
        self._stride = 1
        self._count = 0

    def add(self, share: float) -> None:
        """Another look."""
        value = min(max(round(share * _WHOLE), 0), _MOST)
        self.most = max(self.most, value)
        if self._count % self._stride == 0:
            self._kept.append(value)
        self._count += 1
        if len(self._kept) >= MOST_KEPT:
            self._kept = self._kept[::2]
            self._stride *= 2

    def find_median(self) -> int:
        """The middle one, of an even number the lower; there must be one."""
        return sorted(self._kept)[(len(self._kept) - 1) // 2]


class Watch:
    """What was seen of one task so far."""

    def __init__(self, place: Watched, now: float, interval: float) -> None:
        self._place = place
        self._interval = interval
        self._last: tuple[float, float] = (now, 0.0)  # when, and seconds of processors by then
        self._cpu, self._ram = Samples(), Samples()
        self.due = now + interval

    def look(self) -> None:
        """Take a sample. What cannot be told now is not there."""
        self.due = time.monotonic() + self._interval  # also of one that fails
        load = self._place.read_load()
        now = time.monotonic()
        if load is None:
            return
        then, spent = self._last
        self._last = (now, load.cpu)
        grant = self._place.grant
        self._cpu.add(max(load.cpu - spent, 0.0) / max(now - then, 1e-3) / grant.processors)
        self._ram.add(load.memory / max(grant.memory, 1))

    def sum_up(self) -> Used | None:
        """The middle and the most; None when nobody has looked yet."""
        try:
            cpu, ram = self._cpu.find_median(), self._ram.find_median()
        except IndexError:
            return None
        return Used(cpu, self._cpu.most, ram, self._ram.most)


class Sampler:
    """Looks at all tasks of an agent, on one thread of its own, which sleeps when there are none.

    A task that ends within an interval of so many seconds was never looked at; with 0 none is.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval and min(max(interval, LEAST), MOST)
        self._turn = threading.Condition()
        self._watches: dict[int, Watch] = {}
        self._idle = True
        self._closed = False
        self._thread: threading.Thread | None = None

    def begin(self, place: Watched) -> None:
        """The task at the place is looked at from now on."""
        if not self._interval:
            return
        with self._turn:
            self._watches[id(place)] = Watch(place, time.monotonic(), self._interval)
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name="penstock-sampler", daemon=True)
                self._thread.start()
            elif self._idle:  # else it wakes for another one, not after this one is due
                self._turn.notify()

    def end(self, place: Watched) -> Used | None:
        """What was seen of the task, which is not looked at any more."""
        with self._turn:
            watch = self._watches.pop(id(place), None)
        return None if watch is None else watch.sum_up()

    def close(self) -> None:
        """No other look begins; one that an engine holds up is not waited for."""
        with self._turn:
            self._closed = True
            self._turn.notify()
            thread = self._thread
        if thread is not None:
            thread.join(_FAREWELL)

    def _run(self) -> None:
        while (due := self._wait()) is not None:
            for watch in due:
                try:
                    watch.look()
                except (PenstockError, OSError) as error:
                    _log.debug("a look at a task failed: %s", error)
                except Exception:  # noqa: BLE001 - the outermost loop of the thread: the next look may do
                    _log.exception("a look at a task failed")

    def _wait(self) -> list[Watch] | None:
        """Those that are due, None when it is over."""
        with self._turn:
            while not self._closed:
                self._idle = not self._watches
                now = time.monotonic()
                due = [watch for watch in self._watches.values() if watch.due <= now]
                if due:
                    return due
                nearest = min((watch.due for watch in self._watches.values()), default=None)
                self._turn.wait(None if nearest is None else nearest - now)
            return None
