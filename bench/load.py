"""Sends requests over some connections as fast as they are answered."""

import asyncio


class _Caller(asyncio.Protocol):
    """One connection: the next request is sent when the last one was answered."""

    def __init__(self, request: bytes, count: int, done: asyncio.Future[None]) -> None:
        self._request = request
        self._left = count
        self._done = done
        self._got = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._got += data
        head = self._got.find(b"\r\n\r\n")
        if head < 0 or self._transport is None:
            return
        assert self._got.startswith(b"HTTP/1.1 200"), self._got[:200]
        _, _, told = self._got[:head].lower().partition(b"content-length: ")
        if len(self._got) < head + 4 + int(told.split(b"\r\n", 1)[0]):
            return
        self._got = b""
        self._left -= 1
        if self._left:
            self._transport.write(self._request)
        else:
            self._transport.close()
            self._done.set_result(None)


def send_requests(port: int, path: str, *, count: int, connections: int = 8) -> None:
    """Return when all of them have been answered with 200."""
    asyncio.run(_send(port, path, count // connections, connections))


async def _send(port: int, path: str, count: int, connections: int) -> None:
    loop = asyncio.get_running_loop()
    request = f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode()
    ends = [loop.create_future() for _ in range(connections)]
    for end in ends:
        await loop.create_connection(
            lambda end=end: _Caller(request, count, end),  # type: ignore[misc]  # mypy knows no defaults of lambdas
            "127.0.0.1",
            port,
        )
    await asyncio.gather(*ends)
