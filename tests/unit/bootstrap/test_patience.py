"""Connections whose request does not come are closed."""

import asyncio

import pytest
import uvicorn
from uvicorn.server import ServerState

from penstock.bootstrap import patience
from penstock.bootstrap.patience import PatientProtocol

HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n"


async def answer(_scope: object, _receive: object, send: object) -> None:
    """A long poll that is answered after a while."""
    await asyncio.sleep(0.1)  # longer than a head may take
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})  # type: ignore[operator]  # ASGI's
    await send({"type": "http.response.body", "body": b""})  # type: ignore[operator]  # the same


async def talk(*pieces: bytes) -> bytes:
    """All that was answered to the pieces until the connection was closed from the other side."""
    config = uvicorn.Config(answer, lifespan="off", log_config=None, access_log=False)
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: PatientProtocol(config=config, server_state=state, app_state={}), "127.0.0.1", 0
    )
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    for piece in pieces:
        writer.write(piece)
    answered = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    server.close()
    return answered


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "HEAD_SECONDS", 0.05)


@pytest.mark.parametrize("pieces", [(), (HEAD,), (HEAD + b"\r\n" + HEAD,)])
def test_a_head_that_does_not_come_to_an_end_is_not_waited_for(pieces: tuple[bytes, ...]) -> None:
    asyncio.run(talk(*pieces))


def test_an_answer_may_take_longer_than_a_head() -> None:
    assert b"200 OK" in asyncio.run(talk(HEAD + b"Connection: close\r\n\r\n"))
