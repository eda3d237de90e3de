"""A web server in the test's own process that gives prepared answers and keeps what it was asked."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec


class Answer(msgspec.Struct, frozen=True):
    """What to say: `drip` says it byte by byte and never comes to an end."""

    status: int = 200
    headers: Mapping[str, str] = {}
    body: bytes = b""
    drip: bool = False


class Asked(msgspec.Struct, frozen=True):
    """A request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class AnswerServer:
    """Answers with `answer` at `address`; `asked` holds the requests in order."""

    def __init__(self) -> None:
        self.address = ""
        self.answer = Answer()
        self.asked: list[Asked] = []
        self.over = threading.Event()


def _respond(handler: BaseHTTPRequestHandler, server: AnswerServer) -> None:
    body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
    headers = {name.lower(): value for name, value in handler.headers.items()}
    server.asked.append(Asked(handler.command, handler.path, headers, body))
    answer = server.answer
    if answer.drip:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while not server.over.wait(0.02):
            handler.wfile.write(b"X-Slow: y\r\n"[:1])
            handler.wfile.flush()
        return
    handler.send_response(answer.status)
    for name, value in answer.headers.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(answer.body)))
    handler.end_headers()
    handler.wfile.write(answer.body)


@contextmanager
def serve_answers() -> Iterator[AnswerServer]:
    """The server on a port of this machine, for as long as the block lasts."""
    server = AnswerServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            _respond(self, server)

        def log_message(self, *_: object) -> None:
            """Nothing is printed."""

    class Http(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A client that went away is no error."""

    with Http(("127.0.0.1", 0), Handler) as http:
        server.address = f"http://127.0.0.1:{http.server_port}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.over.set()
            http.shutdown()
            thread.join()
