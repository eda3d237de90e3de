"""A server that says what it was told to say, whatever it is asked."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.support.processes import wait_until

END = b"\r\n\r\n"
TLS = b"\x16"
"""How a greeting in TLS begins; it is answered in plain words."""


class Canned:
    """Where it answers, and what it was asked so far."""

    def __init__(self, answer: bytes, listener: socket.socket) -> None:
        self.answer = answer
        self.asked: list[bytes] = []
        self._listener = listener
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"

    def serve(self) -> None:
        """Answer one connection after the other, until the listener is closed."""
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with connection:
                    self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        with suppress(OSError):
            head = b""
            while END not in head and not head.startswith(TLS):
                piece = connection.recv(65536)
                if not piece:
                    return
                head += piece
            self.asked.append(head)
            connection.sendall(self.answer)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass


@contextmanager
def saying(answer: bytes) -> Iterator[Canned]:
    """The server, answering."""
    listener = socket.create_server(("127.0.0.1", 0))
    canned = Canned(answer, listener)
    thread = threading.Thread(target=canned.serve, daemon=True)
    thread.start()
    try:
        yield canned
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        wait_until(lambda: not thread.is_alive(), seconds=10, what="the canned server ended")


def with_body(body: bytes, *, status: str = "200 OK", extra: bytes = b"") -> bytes:
    """A whole answer with the body."""
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n%s\r\n%s" % (status.encode(), len(body), extra, body)
