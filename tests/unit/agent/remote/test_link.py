import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
import pytest

from penstock.agent.remote import transport
from penstock.agent.remote.address import load_trust, read_address
from penstock.agent.remote.link import Ask, Links, UnknownTokenError
from penstock.agent.remote.transport import RemoteServer
from penstock.model.errors import PenstockError, RefusedError, UnavailableError
from penstock.wire.messages import Sync
from penstock.wire.protocol import Fault
from tests.support.certificates import make_certificate
from tests.support.lab import Lab
from tests.support.served import connect, serving

HELLO = Ask(method="GET", path="/agent/v1/others", token="psa_x")
GOOD = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


@contextmanager
def answering(
    answer: Callable[[socket.socket, int], None], heads: list[bytes] | None = None
) -> Iterator[str]:
    """A server that reads a request's head and answers as told; the second argument counts requests."""
    listener = socket.create_server(("127.0.0.1", 0))
    counted = [0]

    def serve(client: socket.socket) -> None:
        with client, suppress(OSError):
            while True:
                head = b""
                while not head.endswith(b"\r\n\r\n"):
                    piece = client.recv(1)
                    if not piece or piece == b"\x16":  # nothing, or the beginning of TLS
                        return
                    head += piece
                counted[0] += 1
                if heads is not None:
                    heads.append(head)
                answer(client, counted[0])

    def accept() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=serve, args=(client,), daemon=True).start()

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)


@contextmanager
def asking(url: str) -> Iterator[Links]:
    links = connect(url)
    try:
        yield links
    finally:
        links.close()


def refusal(status: int, body: bytes) -> bytes:
    return b"HTTP/1.1 %d x\r\ncontent-length: %d\r\n\r\n%b" % (status, len(body), body)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhalf",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x15\x03\x01\x00\x02",
        refusal(502, b"<html>Bad Gateway</html>"),
        refusal(404, b"<html>nginx</html>"),
        refusal(503, msgspec.msgpack.encode(Fault(message="busy"))),
        refusal(500, msgspec.msgpack.encode(Fault(message="a fault"))),
        refusal(302, b""),
    ],
)
def test_what_may_pass_is_to_be_tried_again(answer: bytes) -> None:
    def send(client: socket.socket, _: int) -> None:
        client.sendall(answer)
        client.shutdown(socket.SHUT_RDWR)

    with answering(send) as url, asking(url) as links, pytest.raises(UnavailableError):
        links.ask(HELLO)


@pytest.mark.parametrize(("status", "kind"), [(401, UnknownTokenError), (426, RefusedError)])
def test_what_a_server_says_is_final(status: int, kind: type[PenstockError]) -> None:
    answer = refusal(status, msgspec.msgpack.encode(Fault(message="said so")))
    with (
        answering(lambda client, _: client.sendall(answer)) as url,
        asking(url) as links,
        pytest.raises(kind, match="said so"),
    ):
        links.ask(HELLO)


def test_a_connection_over_which_nothing_comes_back_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "EXCHANGE", 0.2)
    with answering(lambda *_: None) as url, asking(url) as links:
        server = RemoteServer(links, "agent", "psa_x")
        with pytest.raises(UnavailableError, match="does not answer in time"):
            server.sync(Sync(agent="agent", wait=0.1))


def test_a_connection_that_was_closed_while_idle_is_made_anew_at_once() -> None:
    def send(client: socket.socket, number: int) -> None:
        client.sendall(GOOD)
        if number == 1:
            client.shutdown(socket.SHUT_RDWR)

    with answering(send) as url, asking(url) as links:
        assert [links.ask(HELLO) for _ in range(3)] == [b"ok"] * 3


def test_a_server_that_is_not_there_is_named() -> None:
    with (
        asking("http://127.0.0.1:1") as links,
        pytest.raises(UnavailableError, match=r"127.0.0.1:1 .*refused"),
    ):
        links.ask(HELLO)


def test_plain_http_where_tls_is_meant_is_told() -> None:
    with answering(lambda client, _: client.sendall(GOOD)) as url:
        links = Links(read_address(url.replace("http", "https")), load_trust())
        with pytest.raises(UnavailableError):
            links.ask(HELLO)
        links.close()


def test_a_proxy_is_asked_for_the_whole_address(monkeypatch: pytest.MonkeyPatch) -> None:
    heads: list[bytes] = []
    with answering(lambda client, _: client.sendall(GOOD), heads) as proxy:
        monkeypatch.setenv("http_proxy", proxy.replace("//", "//me:secret@"))
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        with asking("http://ci.example.com:8080/below") as links:
            assert links.ask(HELLO) == b"ok"
    [head] = heads
    assert head.startswith(b"GET http://ci.example.com:8080/below/agent/v1/others HTTP/1.1\r\n")
    assert b"Host: ci.example.com:8080\r\n" in head
    assert b"proxy-authorization: Basic bWU6c2VjcmV0\r\n" in head


@contextmanager
def tunnelling() -> Iterator[tuple[str, list[bytes]]]:
    """A proxy that connects anybody to anywhere, and what it was asked."""
    heads: list[bytes] = []

    def serve(client: socket.socket) -> None:
        with client, suppress(OSError):
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += client.recv(1)
            heads.append(head)
            host, _, port = head.split()[1].decode().rpartition(":")
            with socket.create_connection((host, int(port))) as server:
                client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                while True:
                    for source in select.select([client, server], [], [])[0]:
                        data = source.recv(65536)
                        if not data:
                            return
                        (server if source is client else client).sendall(data)

    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=serve, args=(client,), daemon=True).start()

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield f"http://me:secret@127.0.0.1:{listener.getsockname()[1]}", heads
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)


def test_a_server_with_tls_is_reached_through_a_proxy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_certificate(tmp_path)
    lab = Lab(f"sqlite:///{tmp_path}/penstock.db", tmp_path)
    cert = (tmp_path / "cert.pem", tmp_path / "key.pem")
    with tunnelling() as (proxy, heads), serving(lab.parts, lab.gateway, cert=cert) as served:
        monkeypatch.setenv("https_proxy", proxy)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        links = connect(served.url.replace("127.0.0.1", "localhost"), str(cert[0]))
        with pytest.raises(UnknownTokenError):
            links.ask(HELLO)
        links.close()
    lab.close()
    assert b"Proxy-Authorization: Basic bWU6c2VjcmV0" in heads[0]
    assert b"psa_x" not in b"".join(heads)
