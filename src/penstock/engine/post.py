"""Calls those who deliver letters as soon as there are some of their kind."""

import threading
from collections.abc import Callable, Collection

Carrier = Callable[[], None]


class Post:
    """Who is to be called for letters of which kind, in this process; every thread may use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._carriers: dict[str, tuple[Carrier, ...]] = {}

    def watch(self, kind: str, carrier: Carrier) -> None:
        """Have the carrier called after each posting of that kind; it must be quick and must not raise."""
        with self._lock:
            self._carriers[kind] = (*self._carriers.get(kind, ()), carrier)

    def call(self, kinds: Collection[str]) -> None:
        """There are new letters of these kinds."""
        for carrier in {each for kind in kinds for each in self._carriers.get(kind, ())}:
            carrier()
