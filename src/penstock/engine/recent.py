"""The values used last, kept in memory and bounded in number."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """The values used last, by key; safe to use from several threads."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._known: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        """The value, None when it was never put or was used too long ago."""
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
            return self._known.get(key)

    def put(self, key: K, value: V, *, over: Callable[[V], bool] = lambda _: True) -> None:
        """Remember the value, in place of an older one if `over` says so of that."""
        with self._lock:
            if key in self._known and not over(self._known[key]):
                return
            self._known[key] = value
            self._known.move_to_end(key)
            while len(self._known) > self._limit:
                self._known.popitem(last=False)

    def clear(self) -> None:
        """Nothing is remembered afterwards."""
        with self._lock:
            self._known.clear()


class Trusted(Generic[V]):
    """Values that hold until an instant of the monotonic clock, by text."""

    def __init__(self, limit: int) -> None:
        self._recent: Recent[str, tuple[float, V]] = Recent(limit)
        self._round = 0

    @property
    def round(self) -> int:
        """How often everything was forgotten so far; to be read before what will be put."""
        return self._round

    def get(self, key: str, now: float) -> V | None:
        """The value when it holds now."""
        found = self._recent.get(key)
        return found[1] if found is not None and now < found[0] else None

    def put(self, key: str, value: V, *, until: float, seen: int) -> None:
        """Trust the value until the instant, unless everything was forgotten since round `seen`."""
        if seen == self._round:
            self._recent.put(key, (until, value))

    def forget(self) -> None:
        """Trust nothing that was read before now."""
        self._round += 1
        self._recent.clear()
