"""Requests that break off, trickle or flood: a live server goes on, and nothing half is done."""

import os
import random
import re
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select

from penstock.api.common.route import Route
from penstock.api.dialects import DIALECTS
from penstock.engine.unit import Parts
from penstock.store.schema import metadata
from tests.support.load import OPERATOR, SLUG, TOKEN, Client, add_bare_project
from tests.support.processes import wait_until
from tests.support.server import ServerProcess, joined_parts, running_server

SEED = 20_261_121
SENDERS = 6
EACH = 50
LIVE = "version: 2.1\njobs: {a: {machine: true, steps: [run: 'true']}}\nworkflows: {w: {jobs: [a]}}\n"
CONFIG = f"parameters: {{text: {{type: string, default: ''}}}}\n{LIVE}"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    """A server without an agent that waits a second for the next piece of a body."""
    with joined_parts(tmp_path / "data") as parts:
        add_bare_project(parts, tmp_path, CONFIG)
    settings = ("--slots", "0", "--body-patience", "1", "--connections", "100")
    with running_server(tmp_path / "data", *settings, environment=OPERATOR) as made:
        yield made


@pytest.mark.parametrize("whole", [0.9, 0.0])
def test_requests_that_break_off_change_nothing_and_cost_nothing(server: ServerProcess, whole: float) -> None:
    with closing(Client(server.url)) as client:
        before = count_open(server)
        senders = [Sender(server, random.Random(SEED + number), whole) for number in range(SENDERS)]  # noqa: S311 - a story that can be told again
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        made = [pipeline for sender in senders for pipeline in sender.made]
        assert sorted(client.list_pipelines()) == sorted(made)
        assert bool(made) == (whole > 0)
        assert {status for sender in senders for status in sender.statuses} <= {200, 201}
        wait_until(lambda: count_open(server) <= before + 2, seconds=20, what="all connections are gone")
        assert "Traceback" not in server.log()
        assert client.trigger().status_code == 201


class Sender(threading.Thread):
    """Sends requests, of which so many come whole; the others are cut somewhere, in some way."""

    def __init__(self, server: ServerProcess, dice: random.Random, whole: float) -> None:
        super().__init__()
        self._server = server
        self._dice = dice
        self._whole = whole
        self.made: list[str] = []
        self.statuses: list[int] = []

    def run(self) -> None:
        """Send them all."""
        for _ in range(EACH):
            request = self._dice.choice(REQUESTS)
            with connect(self._server) as connection:
                if self._dice.random() < self._whole:
                    self._send_whole(connection, request)
                else:
                    self._cut(connection, request)

    def _send_whole(self, connection: socket.socket, request: bytes) -> None:
        connection.sendall(request)
        status, body = read_answer(connection)
        self.statuses.append(status)
        if status == 201:
            self.made.append(msgspec.json.decode(body)["id"])

    def _cut(self, connection: socket.socket, request: bytes) -> None:
        with suppress(OSError):
            connection.sendall(request[: self._dice.randrange(len(request))])
            match self._dice.randrange(4):
                case 0:  # a reset
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                case 1:  # closed for one direction only
                    connection.shutdown(socket.SHUT_WR)
                    connection.recv(1000)
                case 2:  # gone quiet for a moment
                    connection.settimeout(0.05)
                    connection.recv(1000)
                case _:
                    pass


def connect(server: ServerProcess) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])), timeout=20)


def make_request(line: str, body: bytes = b"", *, chunked: bool = False) -> bytes:
    """The bytes of a request of the operator's."""
    head = f"{line} HTTP/1.1\r\nHost: x\r\nCircle-Token: {TOKEN}\r\nConnection: close\r\n"
    if chunked:
        pieces = [body[place : place + 7] for place in range(0, len(body), 7)] + [b""]
        framed = b"".join(f"{len(piece):x}\r\n".encode() + piece + b"\r\n" for piece in pieces)
        return f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + framed
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


TRIGGER = msgspec.json.encode({"branch": "main", "parameters": {"text": "x" * 300}})
PLACE = f"/api/v2/project/{SLUG}"
REQUESTS = [
    make_request("GET /api/v2/me"),
    make_request(f"GET {PLACE}/pipeline"),
    make_request("GET /metrics"),
    make_request(f"POST {PLACE}/pipeline", TRIGGER),
    make_request(f"POST {PLACE}/pipeline", TRIGGER, chunked=True),
]


def read_answer(connection: socket.socket) -> tuple[int, bytes]:
    """The status and the body of what is answered until the end."""
    pieces = []
    while piece := connection.recv(65536):
        pieces.append(piece)
    head, _, body = b"".join(pieces).partition(b"\r\n\r\n")
    return int(head.split()[1]), body


def count_open(server: ServerProcess) -> int:
    """Sockets the server has open."""
    count = 0
    for path in Path(f"/proc/{server.process.pid}/fd").iterdir():
        with suppress(OSError):
            count += str(path.readlink()).startswith("socket:")
    return count


def count_threads(server: ServerProcess) -> int:
    return len(list(Path(f"/proc/{server.process.pid}/task").iterdir()))


def test_who_sends_slowly_is_told_and_holds_up_nobody(server: ServerProcess) -> None:
    request = make_request(f"POST {PLACE}/pipeline", TRIGGER)
    with closing(Client(server.url)) as client:
        slow = [connect(server) for _ in range(40)]
        for connection in slow:
            connection.sendall(request[:-20])
        assert client.trigger().status_code == 201
        for connection in slow:
            assert read_answer(connection)[0] == 408
            connection.close()
        assert len(client.list_pipelines()) == 1


def test_more_connections_than_allowed_make_room_for_those_who_ask(server: ServerProcess) -> None:
    idle = []
    for _ in range(300):
        with suppress(OSError):
            idle.append(connect(server))
    with closing(Client(server.url)) as client:
        assert client.get("/me")["login"] == "admin"
        assert count_open(server) < 200
        for connection in idle:
            connection.close()
        wait_until(lambda: count_open(server) < 60, what="all connections are gone")
        assert client.get("/me")["login"] == "admin"


def test_requests_held_by_many_leave_the_rest_a_word(server: ServerProcess) -> None:
    held = [connect(server) for _ in range(100)]
    for connection in held:
        connection.sendall(make_request(f"POST {PLACE}/pipeline", TRIGGER)[:-20])
    wait_until(lambda: count_open(server) > 100, what="all are connected")
    with connect(server) as one_more, suppress(ConnectionError):
        assert one_more.recv(1000).startswith(b"HTTP/1.1 503")
    for connection in held:
        connection.close()
    with closing(Client(server.url)) as client:
        wait_until(lambda: count_open(server) < 60, what="all connections are gone")
        assert client.get("/me")["login"] == "admin"


@pytest.mark.parametrize(
    "flood",
    [
        b"GET / HTTP/1.1\r\n" + b"X-A: b\r\n" * 20_000,
        b"GET /" + b"a" * 200_000,
        b"GET / HTTP/1.1\r\nX-" + b"y" * 200_000,
        b"GET /api/v2/me HTTP/1.1\r\nHost: x\r\n\r\n" * 5_000,
        b"POST /api/v2/x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 400_000,
        b"POST /api/v2/x HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        os.urandom(200_000),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
    ],
    ids=["headers", "path", "name", "pipelined", "chunks", "length", "noise", "tls"],
)
def test_floods_are_dammed(server: ServerProcess, flood: bytes) -> None:
    before = count_open(server), count_threads(server)
    for _ in range(3):
        with connect(server) as connection, suppress(OSError):
            connection.settimeout(2)
            connection.sendall(flood)
            connection.recv(1000)
    with closing(Client(server.url)) as client:
        assert client.get("/me")["login"] == "admin"
    wait_until(lambda: count_open(server) <= before[0] + 2, what="all connections are gone")
    assert count_threads(server) <= before[1] + 12
    assert "Traceback" not in server.log()


def test_no_route_does_anything_for_a_request_that_breaks_off(server: ServerProcess) -> None:
    dice = random.Random(SEED)  # noqa: S311 - a story that can be told again
    body = msgspec.json.encode({"name": "a", "value": "b", "branch": "main", "label": "c", "org": "gh/acme"})
    with joined_parts(server.folder.root) as parts:
        before = take_snapshot(parts)
        for dialect in DIALECTS:
            for route in dialect.routes:
                whole = make_request(f"{route.method} {fill_path(route)}", body)
                head = whole.index(b"\r\n\r\n")
                for size in (dice.randrange(head), dice.randrange(head + 4, len(whole))):
                    if size > head and route.body is None and not route.raw:
                        continue  # whoever waits for no body has the whole request
                    with connect(server) as connection, suppress(OSError):
                        connection.sendall(whole[:size])
                        connection.shutdown(socket.SHUT_WR)
                        connection.recv(1000)
        assert take_snapshot(parts) == before
    assert "Traceback" not in server.log()
    assert server.get("/healthz").status_code == 200


def fill_path(route: Route) -> str:
    """A path of the route, of things that exist where they can be known."""
    known = {"slug": SLUG, "org": "gh/acme"}
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: known.get(found[1], "1"), route.path)


def take_snapshot(parts: Parts) -> dict[str, list[tuple[object, ...]]]:
    """All rows, without when tokens were used."""
    aside = {"used_at", "seen_at"}
    with parts.db.read() as tx:
        return {
            table.name: [
                tuple(row)
                for row in tx.execute(
                    select(*(column for column in table.columns if column.name not in aside))
                )
            ]
            for table in metadata.sorted_tables
        }
