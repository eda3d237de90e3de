"""Names of what threads of this process work at, so that no two do the same."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from penstock.model.errors import UnavailableError


class Held:
    """The names that are held; any thread may ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._names: set[str] = set()

    @contextmanager
    def hold(self, name: str, sentence: str) -> Iterator[None]:
        """Nobody else holds the name meanwhile. Raises UnavailableError with the sentence when it is held."""
        with self._lock:
            if name in self._names:
                raise UnavailableError(sentence)
            self._names.add(name)
        try:
            yield
        finally:
            with self._lock:
                self._names.discard(name)
