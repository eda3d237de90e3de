"""Connections that do not get to the point are closed: the head of a request is bounded in time and size."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 20.0
"""Within which the head of a request must have come."""

HEAD_BYTES = 1 << 16


class PatientProtocol(HttpToolsProtocol):
    """uvicorn's connection, which is closed when a head takes too long or is too large."""

    _due: asyncio.TimerHandle | None = None  # armed while a head is awaited
    _size = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """The first head is awaited."""
        super().connection_made(transport)
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is awaited any more."""
        self._disarm()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Another head is awaited."""
        super().on_message_begin()
        self._arm()

    def on_headers_complete(self) -> None:
        """The head is there."""
        self._disarm()
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Take in more bytes."""
        super().data_received(data)
        if self._due is not None:
            self._size += len(data)
            if self._size > HEAD_BYTES:
                self._give_up()

    def _arm(self) -> None:
        if self._due is None:
            self._size = 0
            self._due = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _disarm(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _give_up(self) -> None:
        self._disarm()
        transport: Any = self.transport
        if not transport.is_closing():
            transport.close()
