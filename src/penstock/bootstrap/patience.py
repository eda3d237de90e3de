"""Connections that do not get to the point are closed: a head is bounded in time and size, all in number."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 20.0
"""Within which the head of a request must have come."""

HEAD_BYTES = 1 << 16

MOST_WAITING = 32
"""Requests sent on one connection before the first of them was answered."""

_REFUSAL = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain\r\nretry-after: 2\r\n"
    b"connection: close\r\ncontent-length: 21\r\n\r\ntoo many connections\n"
)


class PatientProtocol(HttpToolsProtocol):
    """uvicorn's connection, which is closed when a head takes too long or is too large.

    When there are more connections than `limit_concurrency`, one on which nothing is asked gives way to a new
    one; without such a one the new one is refused.
    """

    _due: asyncio.TimerHandle | None = None  # armed while a head is awaited
    _size = 0
    _running: Any = None  # uvicorn's record of the request that is being answered

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """The first head is awaited."""
        super().connection_made(transport)
        most, self.limit_concurrency = self.limit_concurrency, None  # uvicorn would refuse requests by it
        if most is not None and len(self.connections) > most and not self._find_room():
            transport.write(_REFUSAL)
            transport.close()
            return
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is awaited any more."""
        self._disarm()
        super().connection_lost(exc)
        running = self._running  # uvicorn tells the request that came last, which may wait behind this one
        if running is not None and not running.response_complete:
            running.disconnected = True
            running.message_event.set()

    def on_message_begin(self) -> None:
        """Another head is awaited."""
        super().on_message_begin()
        self._arm()

    def on_headers_complete(self) -> None:
        """The head is there."""
        self._disarm()
        super().on_headers_complete()
        if not self.pipeline:
            self._running = self.cycle
        elif len(self.pipeline) > MOST_WAITING:
            self._give_up()

    def on_response_complete(self) -> None:
        """An answer has gone out; the next request of the connection is begun."""
        following = self.pipeline[-1][0] if self.pipeline else None
        super().on_response_complete()
        self._running = following

    def data_received(self, data: bytes) -> None:
        """Take in more bytes."""
        super().data_received(data)
        if self._due is not None:
            self._size += len(data)
            if self._size > HEAD_BYTES:
                self._give_up()

    @property
    def is_idle(self) -> bool:
        """True when no request is being answered, and none has come whole."""
        cycle: Any = self.cycle  # None before the first request
        return cycle is None or cycle.response_complete

    def _find_room(self) -> bool:
        """True when another connection was closed to make room for this one."""
        for other in self.connections:
            if other is not self and isinstance(other, PatientProtocol) and other.is_idle:
                other._give_up()  # noqa: SLF001 - one of us
                return True
        return False

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
