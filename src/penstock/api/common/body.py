"""Reads the body of a request within its bounds of size and time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, MutableMapping
from typing import Any

from penstock.api.common.call import Call
from penstock.api.common.faults import BusyError, TooLargeError, TooSlowError
from penstock.model.errors import InvalidError

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

PIECE_BYTES = 1 << 20
"""About how many bytes a raw route gets at a time."""

LARGE = 1 << 16
"""Bytes of a body for which it is worth knowing first who sends it."""

LEAST_SPEED = 1024
"""Bytes a second, past the patience for a piece: a body that trickles is not waited for either."""


class CutOffError(Exception):
    """The caller went away before the whole body had come."""


class Budget:
    """Bytes of bodies that all requests together may hold in memory. To be used from one loop."""

    def __init__(self, most: int) -> None:
        self._left = most

    def take(self, size: int) -> None:
        """So many more are held. Raises BusyError when there are too many."""
        if size > self._left:
            raise BusyError("the server takes in too much at present")
        self._left -= size

    def give(self, size: int) -> None:
        """So many are held no more."""
        self._left += size


def is_large(call: Call) -> bool:
    """True for a request whose body is large, or of a size that is not told beforehand."""
    told = call.header("content-length")
    return (
        int(told[:20]) > LARGE
        if told.isascii() and told.isdecimal()
        else bool(call.header("transfer-encoding"))
    )


class Body:
    """The body of one request; read once, whole or in pieces. What is read whole weighs on the budget."""

    def __init__(self, call: Call, receive: Receive, limit: int, patience: float, budget: Budget) -> None:
        self._call = call
        self._budget = budget
        self._limit = limit
        self._patience = patience
        self._receive = receive
        self._size = 0
        self._begun = 0.0
        self._over = False
        self._check_length(call.header("content-length"))

    async def read(self) -> bytes:
        """All of it. Raises TooLargeError, TooSlowError, BusyError, CutOffError."""
        pieces = []
        while not self._over:
            piece = await self._next_message()
            self._budget.take(len(piece))
            self._call.weight += len(piece)
            pieces.append(piece)
        return b"".join(pieces)

    async def stream(self) -> AsyncIterator[bytes]:
        """The body as it comes, for a coroutine; raises what `read` does."""
        while not self._over:
            yield await self._next_message()

    def pieces(self, loop: asyncio.AbstractEventLoop) -> Iterator[bytes]:
        """The body in pieces of about 1 MiB, for a thread other than the loop's; raises what `read` does."""
        while not self._over:
            piece = asyncio.run_coroutine_threadsafe(self._next_piece(), loop).result()
            if piece:
                yield piece

    async def _next_piece(self) -> bytes:
        gathered = bytearray()
        while not self._over and len(gathered) < PIECE_BYTES:
            gathered += await self._next_message()
        return bytes(gathered)

    async def _next_message(self) -> bytes:
        now = asyncio.get_running_loop().time()
        self._begun = self._begun or now
        latest = self._begun + self._patience + self._size / LEAST_SPEED
        try:
            async with asyncio.timeout_at(min(now + self._patience, latest)):
                message = await self._receive()
        except TimeoutError as error:
            raise TooSlowError(
                f"the body came too slowly: nothing for {self._patience:g} s, or hardly anything"
            ) from error
        if message["type"] == "http.disconnect":
            self._over = True
            raise CutOffError
        self._over = not message.get("more_body", False)
        piece: bytes = message.get("body", b"")
        self._size += len(piece)
        self._check_size(self._size)
        return piece

    def _check_length(self, told: str) -> None:
        if told:
            if not (told.isascii() and told.isdecimal()):
                raise InvalidError("the header Content-Length must be a number")
            self._check_size(int(told[:20]))

    def _check_size(self, size: int) -> None:
        if size > self._limit:
            self._over = True
            raise TooLargeError(f"the body is larger than the {self._limit} bytes allowed here")
