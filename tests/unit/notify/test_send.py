"""One webhook over a real connection."""

import socket
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from penstock.notify.address import Reach, read_network
from penstock.notify.send import KEPT, Parcel, Receipt, Sender
from tests.support.certificates import make_certificate
from tests.support.receiver import answering, receiving

NEAR = Reach(
    protocols=frozenset({"https", "http"}), ports=frozenset({0}), networks=(read_network("127.0.0.0/8"),)
)
STRICT = Reach(protocols=frozenset({"https", "http"}), ports=frozenset({0}))


def parcel(url: str, **more: bool) -> Parcel:
    headers = {"Content-Type": "application/json", "circleci-event-type": "ping"}
    return Parcel(url=url, headers=headers, body=b'{"a":1}', **more)


def local(_name: str, _port: int) -> Sequence[str]:
    return ["127.0.0.1"]


def send(url: str, *, patience: float = 10.0, reach: Reach = NEAR) -> Receipt:
    return Sender(reach, patience=patience).send(parcel(url))


def test_a_receiver_gets_what_is_sent_and_its_answer_is_kept() -> None:
    with receiving() as receiver:
        receiver.status, receiver.said = 202, "gut \N{SNOWMAN}".encode()
        receipt = send(f"{receiver.url}/x?y=1")
        assert (receipt.status, receipt.answer, receipt.error) == (202, "gut \N{SNOWMAN}", "")
        assert receipt.delivered
        got = receiver.take()
        assert (got.path, got.body) == ("/x?y=1", b'{"a":1}')
        assert got.headers["host"] == f"127.0.0.1:{receiver.port}"
        assert got.headers["circleci-event-type"] == "ping"
        assert "circleci-signature" not in got.headers


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_failures_and_are_not_followed(status: int) -> None:
    with receiving() as receiver, receiving() as inside:
        receiver.status, receiver.headers = status, {"Location": f"{inside.url}/secret"}
        receipt = send(receiver.url)
        assert (receipt.status, receipt.delivered) == (status, False)
        assert receipt.error == f"the receiver answered with status {status}"
        assert inside.every == []


def test_a_name_that_leads_to_a_private_address_is_never_called() -> None:
    with receiving() as receiver:
        sender = Sender(STRICT, local)
        receipt = sender.send(parcel(f"http://public.example:{receiver.port}/"))
        assert "private or special" in receipt.error
        assert receipt.final
        assert receipt.status is None
        assert receiver.every == []


def test_a_name_is_resolved_once_so_that_it_cannot_change_its_mind() -> None:
    asked = []

    def rebind(name: str, _port: int) -> Sequence[str]:
        asked.append(name)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    with receiving() as receiver:
        receipt = Sender(NEAR, rebind).send(parcel(f"http://rebind.example:{receiver.port}/"))
        assert receipt.delivered
        assert asked == ["rebind.example"]
        assert receiver.take().headers["host"] == f"rebind.example:{receiver.port}"


def test_a_name_that_takes_too_long_to_resolve_is_given_up_in_time() -> None:
    over = threading.Event()

    def linger(_name: str, _port: int) -> Sequence[str]:
        over.wait(30)
        return ["127.0.0.1"]

    begun = time.monotonic()
    receipt = Sender(NEAR, linger, patience=0.3).send(parcel("http://slow.example:1/"))
    assert time.monotonic() - begun < 5
    over.set()
    assert (receipt.error, receipt.final) == ("slow.example cannot be resolved", False)


def test_another_address_is_tried_when_the_first_takes_no_connection() -> None:
    with receiving() as receiver:
        sender = Sender(NEAR, lambda *_: ["127.0.0.9", "127.0.0.1"])
        assert sender.send(parcel(f"http://two.example:{receiver.port}/")).delivered


def test_a_certificate_must_be_trusted_and_for_the_name(tmp_path: Path) -> None:
    make_certificate(tmp_path)
    trust = str(tmp_path / "cert.pem")
    with receiving(tmp_path) as receiver:
        here, there = f"https://localhost:{receiver.port}/", f"https://other.example:{receiver.port}/"
        assert Sender(NEAR, local, trust=trust).send(parcel(here)).delivered
        wrong = Sender(NEAR, local, trust=trust).send(parcel(there))
        assert "certificate cannot be trusted" in wrong.error
        assert not wrong.final
        unknown = Sender(NEAR, local).send(parcel(here))
        assert "certificate cannot be trusted" in unknown.error
        assert len(receiver.every) == 1


def test_without_verification_any_certificate_will_do_but_not_any_address(tmp_path: Path) -> None:
    make_certificate(tmp_path)
    with receiving(tmp_path) as receiver:
        url = f"https://other.example:{receiver.port}/"
        assert Sender(NEAR, local).send(parcel(url, verify_tls=False)).delivered
        refused = Sender(STRICT, local).send(parcel(url, verify_tls=False))
        assert "private or special" in refused.error


def test_tls_names_the_host_it_wants() -> None:
    seen = threading.Event()

    def listen(connection: socket.socket) -> None:
        if b"sni.example" in connection.recv(4096):
            seen.set()

    with answering(listen) as port:
        receipt = Sender(NEAR, local).send(parcel(f"https://sni.example:{port}/"))
        assert seen.wait(10)
        assert receipt.status is None
        assert receipt.error


def test_nobody_there_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    receipt = send(f"http://127.0.0.1:{port}/")
    assert receipt.error == "no connection: Connection refused"
    assert not receipt.final


@pytest.mark.parametrize(
    "dripped",
    [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 100 Continue\r\n\r\n"],
    ids=["mute", "drip", "hundred"],
)
def test_a_receiver_that_takes_its_time_is_left_when_it_is_over(dripped: bytes) -> None:
    over = threading.Event()

    def drip(connection: socket.socket) -> None:
        with suppress(OSError):
            while not over.wait(0.02):
                if dripped:
                    connection.sendall(dripped[:5] if dripped.endswith(b"X: ") else dripped)

    with answering(drip) as port:
        begun = time.monotonic()
        receipt = send(f"http://127.0.0.1:{port}/", patience=0.5)
        assert time.monotonic() - begun < 5
        over.set()
    assert receipt.status is None
    assert receipt.error


def test_of_an_endless_answer_only_the_beginning_is_read() -> None:
    sent: list[int] = []

    def flood(connection: socket.socket) -> None:
        connection.recv(65536)
        with suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            while len(sent) < 10_000:
                connection.sendall(b"x" * 65536)
                sent.append(1)

    with answering(flood) as port:
        receipt = send(f"http://127.0.0.1:{port}/")
    assert receipt.delivered
    assert receipt.answer == "x" * KEPT
    assert len(sent) < 1000


def test_an_answer_that_never_ends_is_an_answer() -> None:
    over = threading.Event()

    def linger(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n")
        over.wait(10)

    with answering(linger) as port:
        receipt = send(f"http://127.0.0.1:{port}/", patience=0.5)
        over.set()
    assert receipt.delivered


@pytest.mark.parametrize(
    "said",
    [
        b"garbage\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 99999 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 1000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nA: " + b"b" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + (b"A: " + b"b" * 10_000 + b"\r\n") * 99 + b"\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 10_000,
        b"\x16\x03\x01\x00\x00",
        b"",
    ],
)
def test_what_is_no_answer_is_a_failure(said: bytes) -> None:
    def answer(connection: socket.socket) -> None:
        connection.recv(65536)
        with suppress(OSError):
            connection.sendall(said)

    with answering(answer) as port:
        receipt = send(f"http://127.0.0.1:{port}/")
    assert receipt.status is None
    assert receipt.error in {"the answer is none of HTTP", "no connection: Connection reset by peer"}


def test_a_receiver_may_ask_for_a_pause() -> None:
    with receiving() as receiver:
        receiver.status, receiver.headers = 429, {"Retry-After": "120"}
        assert send(receiver.url).wait == "120"


def test_a_body_that_nobody_reads_does_not_hold_the_sender_for_longer() -> None:
    over = threading.Event()

    def ignore(_connection: socket.socket) -> None:
        over.wait(10)

    with answering(ignore) as port:
        big = Parcel(url=f"http://127.0.0.1:{port}/", headers={}, body=b"x" * 50_000_000)
        receipt = Sender(NEAR, patience=0.5).send(big)
        over.set()
    assert receipt.error == "no answer within 0.5 s"
