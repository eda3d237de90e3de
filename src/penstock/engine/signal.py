"""Wakes those who wait for work, as soon as there may be some."""

import threading


class Signal:
    """A counter that only grows; whoever has seen its value can wait for it to change."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._count = 0

    @property
    def count(self) -> int:
        """The present value: read it before looking for work, so that no change is missed."""
        return self._count

    def notify(self) -> None:
        """Wake all who wait."""
        with self._changed:
            self._count += 1
            self._changed.notify_all()

    def wait(self, seen: int, timeout: float) -> bool:
        """Wait until the value is no longer `seen`; False when it still is after `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self._count != seen, timeout)
