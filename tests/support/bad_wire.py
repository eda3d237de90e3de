"""A loopback proxy between an agent and its server that loses connections when it is told to."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

PIECE = 1 << 16


class BadWire:
    """Passes bytes both ways. `cuts` connections break, each once `budget` more bytes went to the server.

    While `target` is None connections are refused to go on, as when the server is away.
    """

    def __init__(self, target: int | None) -> None:
        self.target = target
        self.cuts = 0
        self.budget = 0
        self.broken = 0
        self.down = 0  # of the cuts, bytes from the server after which they happen; 0 for none
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def cut(self, times: int, after: int = 0, *, down: int = 0) -> None:
        """The next connections that carry so many bytes up (or down) break, that many times."""
        with self._lock:
            self.cuts, self.budget, self.down = times, after, down

    def cut_all(self) -> None:
        """Every connection that is open breaks now."""
        with self._lock:
            victims = list(self._open)
        for each in victims:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Nothing is passed on any more."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut_all()
        self._thread.join(10)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        target = self.target
        with client:
            if target is None:
                return
            try:
                server = socket.create_connection(("127.0.0.1", target), timeout=10)
            except OSError:
                return
            server.settimeout(None)
            with server:
                with self._lock:
                    self._open |= {client, server}
                ways = [
                    threading.Thread(target=self._pass, args=way, daemon=True)
                    for way in ((client, server, self._is_due_up), (server, client, self._is_due_down))
                ]
                for each in ways:
                    each.start()
                for each in ways:
                    each.join()
                with self._lock:
                    self._open -= {client, server}

    def _pass(self, source: socket.socket, sink: socket.socket, is_due: Callable[[int], bool]) -> None:
        passed = 0
        with suppress(OSError):
            while data := source.recv(PIECE):
                passed += len(data)
                if is_due(passed):
                    break
                sink.sendall(data)
        for each in (source, sink):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _is_due_up(self, passed: int) -> bool:
        return self._take(passed, self.budget)

    def _is_due_down(self, passed: int) -> bool:
        return self._take(passed, self.down)

    def _take(self, passed: int, limit: int) -> bool:
        with self._lock:
            if self.cuts and limit and passed > limit:
                self.cuts -= 1
                self.broken += 1
                return True
        return False


@contextmanager
def bad_wire(target: int | None) -> Iterator[BadWire]:
    """A wire to the port, gone after the block."""
    wire = BadWire(target)
    wire.start()
    try:
        yield wire
    finally:
        wire.close()
