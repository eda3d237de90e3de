"""Wakes those who wait for work, as soon as there may be some."""

import threading
from collections.abc import Callable


class Signal:
    """A counter that only grows; whoever has seen its value can wait for it to change."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._count = 0
        self._own = 0
        self._watchers: tuple[Callable[[], None], ...] = ()

    @property
    def count(self) -> int:
        """The present value: read it before looking for work, so that no change is missed."""
        return self._count

    @property
    def own(self) -> int:
        """How many of the changes were made by this process."""
        return self._own

    def notify(self, *, foreign: bool = False) -> None:
        """Wake all who wait; `foreign` when another process made the change."""
        with self._changed:
            self._count += 1
            self._own += not foreign
            self._changed.notify_all()
            watchers = self._watchers
        for watcher in watchers:
            watcher()

    def wait(self, seen: int, timeout: float) -> bool:
        """Wait until the value is no longer `seen`; False when it still is after `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self._count != seen, timeout)

    def watch(self, watcher: Callable[[], None]) -> Callable[[], None]:
        """Have the watcher called after each change, for those who cannot wait in a thread.

        It must be quick and must not raise. The answer takes it off again.
        """
        with self._changed:
            self._watchers += (watcher,)

        def unwatch() -> None:
            with self._changed:
                self._watchers = tuple(other for other in self._watchers if other is not watcher)

        return unwatch
