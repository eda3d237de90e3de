"""A git host in the test's own process: repositories over HTTP, by git's own program for it."""

import base64
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

TOKEN = "t0ken-of-the-project"


class GitHost:
    """Serves the repositories below a folder at `address`.

    With `private` it wants TOKEN as the password. `status`, when set, is all it answers; `location` goes
    with a redirect. `headers` are the Authorization headers it saw. While `gate` is not set, answers wait.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.address = ""
        self.private = False
        self.status = 0
        self.location = ""
        self.headers: list[str] = []
        self.paths: list[str] = []
        self.asked = threading.Event()
        self.gate = threading.Event()
        self.gate.set()

    def refuse(self, authorization: str) -> int:
        """The status of a request that gets no further, or 0."""
        given = authorization.removeprefix("Basic ")
        password = base64.b64decode(given).decode().partition(":")[2] if given else ""
        if self.status:
            return self.status
        if self.private and password != TOKEN:
            return 401
        return 0


def _answer(handler: BaseHTTPRequestHandler, host: GitHost) -> None:
    host.paths.append(handler.path)
    authorization = handler.headers.get("Authorization", "")
    host.headers.append(authorization)
    body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
    host.asked.set()
    host.gate.wait(60)
    status = host.refuse(authorization)
    if status:
        handler.send_response(status)
        if host.location:
            handler.send_header("Location", host.location + handler.path)
        if status == 401:
            handler.send_header("WWW-Authenticate", 'Basic realm="git"')
        handler.send_header("Content-Length", "0")
        handler.end_headers()
        return
    parts = urlsplit(handler.path)
    environment = {
        "PATH": os.environ["PATH"],
        "GIT_PROJECT_ROOT": str(host.root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "REQUEST_METHOD": handler.command,
        "PATH_INFO": parts.path,
        "QUERY_STRING": parts.query,
        "CONTENT_TYPE": handler.headers.get("Content-Type", ""),
        "HTTP_CONTENT_ENCODING": handler.headers.get("Content-Encoding", ""),
        "GIT_PROTOCOL": handler.headers.get("Git-Protocol", ""),
    }
    done = subprocess.run(
        ["git", "http-backend"], env=environment, input=body, capture_output=True, check=False
    )
    head, _, content = done.stdout.partition(b"\r\n\r\n")
    fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
    handler.send_response(int(fields.pop("Status", "200").split()[0]))
    for name, value in fields.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)


@contextmanager
def serve_git(root: Path) -> Iterator[GitHost]:
    """The repositories below the folder on a port of this machine, for as long as the block lasts."""
    host = GitHost(root)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _answer(self, host)

        def do_POST(self) -> None:
            _answer(self, host)

        def log_message(self, *_: object) -> None:
            """Nothing is printed."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A client that went away is no error."""

    with Server(("127.0.0.1", 0), Handler) as server:
        host.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield host
        finally:
            host.gate.set()
            server.shutdown()
            thread.join()
