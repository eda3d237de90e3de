"""Notices when an engine goes away, which nothing else tells while steps run."""

import http.client
import os
import select
import threading
import time
from collections.abc import Callable
from contextlib import closing

import msgspec

from penstock.agent.executor.docker.engine import Engine, connect_engine

PATIENCE = 5.0  # seconds an engine may take to come back: its containers may outlive a restart
_TRY = 0.2
_GREETING = 5.0
_NOTHING = msgspec.json.encode({"label": ["penstock.agent=nobody"]}).decode()  # events there are none of


class EngineWatch:
    """Holds a request that the engine answers for as long as it lives, on a thread of its own.

    `lose` is called with a sentence each time the engine went away for longer than the patience.
    """

    def __init__(self, engine: Engine, lose: Callable[[str], None], patience: float = PATIENCE) -> None:
        self._engine = engine
        self._lose = lose
        self._patience = patience
        self._woken, self._wake = os.pipe()
        self._thread = threading.Thread(target=self._watch, name="penstock-engine", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Nobody watches any more."""
        os.close(self._wake)
        self._thread.join()
        os.close(self._woken)

    def _watch(self) -> None:
        while self._hold():
            until, lost = time.monotonic() + self._patience, False
            while not self._answers():
                if not lost and time.monotonic() >= until:
                    lost = True
                    self._lose(f"the Docker engine at {self._engine.address} went away")
                if self._is_over(_TRY):
                    return

    def _hold(self) -> bool:
        """Wait for the end of the engine, or of the watch; true for that of the engine."""
        try:
            with closing(connect_engine(self._engine.address, _GREETING)) as connection:
                path = self._engine.make_target("/events", {"filters": _NOTHING})
                connection.request("GET", path)
                held = connection.sock
                with connection.getresponse():
                    while held not in select.select([held, self._woken], [], [])[0]:
                        if self._is_over(0):
                            return False
        except (OSError, http.client.HTTPException):
            pass
        return not self._is_over(0)

    def _answers(self) -> bool:
        try:
            with closing(connect_engine(self._engine.address, _GREETING)) as connection:
                connection.request("GET", "/_ping")
                return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False

    def _is_over(self, seconds: float) -> bool:
        return bool(select.select([self._woken], [], [], seconds)[0])
