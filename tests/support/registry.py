"""An orb registry in the test's own process, answering as the vendor's GraphQL was recorded."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from penstock.language.circleci.orbs import choose_version, parse_reference

Answer = tuple[int, bytes]


class Registry:
    """Orbs by `namespace/name` and version; `asked` are the references it was asked for, in order.

    `answer`, when set, is what it says to everything: a status and a body.
    """

    def __init__(self, orbs: Mapping[str, Mapping[str, str]], address: str = "") -> None:
        self.orbs = orbs
        self.asked: list[str] = []
        self.tokens: list[str] = []
        self.answer: Answer | None = None
        self.address = address

    def find(self, text: str) -> dict[str, object] | None:
        """The member `orbVersion` of an answer; null for what there is not, as recorded."""
        reference = parse_reference(text)
        versions = self.orbs.get(reference.name, {}) if reference is not None else {}
        version = choose_version(reference.version, versions) if reference is not None else None
        if reference is None or version is None:
            return None
        return {"version": version, "source": versions[version], "orb": {"name": reference.name}}

    def respond(self, body: bytes) -> Answer:
        """The status and the body for one request."""
        request = json.loads(body)
        self.asked.append(request["variables"]["ref"])
        if self.answer is not None:
            return self.answer
        assert "orbVersion(orbVersionRef: $ref)" in request["query"]
        return 200, json.dumps({"data": {"orbVersion": self.find(self.asked[-1])}}).encode()


@contextmanager
def serve_registry(orbs: Mapping[str, Mapping[str, str]]) -> Iterator[Registry]:
    """The registry on a port of this machine, for as long as the block lasts."""
    registry = Registry(orbs)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            registry.tokens.append(self.headers.get("Authorization", ""))
            status, body = registry.respond(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            if status in {301, 302}:
                self.send_header("Location", body.decode())
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing is printed."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        registry.address = f"http://127.0.0.1:{server.server_port}/graphql-unstable"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield registry
        finally:
            server.shutdown()
            thread.join()
