"""A receiver of webhooks on this machine, which notes what it gets and answers as it is told."""

import hashlib
import hmac
import queue
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec


class Received(msgspec.Struct, frozen=True):
    """One request; the names of headers are in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:  # noqa: ANN401 - whatever came
        """The body."""
        return msgspec.json.decode(self.body)

    def is_signed(self, secret: str) -> bool:
        """True when the newest signature is that of the body, as a receiver finds out on its own."""
        signatures = dict(each.split("=", 1) for each in self.headers["circleci-signature"].split(","))
        expected = hmac.new(secret.encode(), self.body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(signatures["v1"], expected)


class Receiver:
    """Listens at `url`; answers with `status`, `location` and `said` as soon as `gate` is set."""

    def __init__(self) -> None:
        self.url = ""
        self.port = 0
        self.status = 200
        self.headers: dict[str, str] = {}
        self.said = b"thanks"
        self.gate = threading.Event()
        self.gate.set()
        self.every: list[Received] = []
        self._news: queue.Queue[Received] = queue.Queue()

    def take(self, seconds: float = 30.0) -> Received:
        """The next request that came; waits for it."""
        return self._news.get(timeout=seconds)

    def note(self, received: Received) -> None:
        """It came."""
        self.every.append(received)
        self._news.put(received)


@contextmanager
def receiving(certificate: Path | None = None, host: str = "127.0.0.1") -> Iterator[Receiver]:
    """A receiver; with the folder of a certificate (`tests.support.certificates`) one over TLS."""
    receiver = Receiver()
    server = _Server((host, 0), _make_handler(receiver))
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    receiver.port = server.server_address[1]
    scheme = "http" if certificate is None else "https"
    receiver.url = f"{scheme}://{'localhost' if certificate else host}:{receiver.port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.gate.set()
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def answering(script: Callable[[socket.socket], None]) -> Iterator[int]:
    """The port of a server that does this with each connection, one after the other."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        done = threading.Event()

        def serve() -> None:
            while not done.is_set():
                try:
                    connection, _ = server.accept()
                    with connection:
                        script(connection)
                except OSError:
                    continue

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield int(server.getsockname()[1])
        finally:
            done.set()
            server.shutdown(socket.SHUT_RDWR)
            thread.join(20)


class _Server(ThreadingHTTPServer):
    """Says nothing of clients that break off."""

    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as socketserver has it
        """Nothing: tests break off on purpose."""


def _make_handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.note(Received(self.path, headers, body))
            receiver.gate.wait(60)
            self.send_response(receiver.status)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(receiver.said)))
            self.end_headers()
            self.wfile.write(receiver.said)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in http.server
            """Nothing."""

    return Handler
