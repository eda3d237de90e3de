"""What a page of CircleCI's API costs with many pipelines stored, beside a bare answer of the same bytes."""

import tempfile
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

from bench.figure import Figure
from bench.serve import measure
from penstock.api.common.app import make_app
from penstock.api.common.caller import find_caller, recall_caller
from penstock.api.common.meter import Meter
from penstock.api.common.server import Server
from penstock.api.dialects import DIALECTS
from penstock.store import pipelines
from penstock.store.sealing import Sealer
from tests.support.circle import ADMIN, APP, CircleSite
from tests.support.lab import Lab
from tests.support.records import a_pipeline

STORED = 100_000
PATH = f"/api/v2/project/{APP}/pipeline"


def run() -> list[Figure]:
    """A page of the newest pipelines of a project."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = f"sqlite:///{folder / 'penstock.db'}"
        body = fill(url, folder)
        floor = measure(make_bare(body))
        path = f"{PATH}?circle-token={ADMIN}"
        calm, busy = measure(Late(url, folder), path), measure(Late(url, folder, changing=True), path)
    what = f"API, CPU of a page of pipelines with {STORED:,} stored, {len(body)} bytes"
    return [
        Figure(
            what=f"{what}, {when}",
            measured=f"{used * 1e6:.0f} µs",
            floor=f"{floor * 1e6:.0f} µs bare ASGI",
            value=used / floor,
            limit=limit,
            unit="x",
        )
        for when, used, limit in (
            ("while nothing changes", calm, 4),
            ("with a commit before each request", busy, 12),
        )
    ]


def fill(url: str, folder: Path) -> bytes:
    """Store the pipelines; the page that is asked for."""
    site = CircleSite(url, folder)
    with site.parts.db.write() as tx:
        for number in range(1, STORED + 1):
            made = msgspec.structs.replace(a_pipeline(site.project.id, number), actor="admin")
            pipelines.insert_pipeline(tx, made)
    body = site.call("GET", PATH).body
    site.close()
    return body


class Late:
    """The server's application, opened by the process that uses it."""

    def __init__(self, url: str, folder: Path, *, changing: bool = False) -> None:
        self._place = (url, folder)
        self._changing = changing
        self._app: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's
        """Answer a request."""
        if self._app is None:
            lab = Lab(*self._place)
            if self._changing:  # each request finds that something was committed since the last
                setattr(lab.parts.db, "version", partial(next, count()))  # noqa: B010 - it is a method
            server = Server(
                parts=lab.parts,
                gateway=lab.gateway,
                meter=Meter(),
                sealer=Sealer([bytes(32)]),
                authenticate=lambda secret: find_caller(lab.parts, secret),
                recall=lambda secret: recall_caller(lab.parts, secret),
            )
            self._app = make_app(server, DIALECTS)
        await self._app(scope, receive, send)


def make_bare(body: bytes) -> Callable[..., Any]:
    """An ASGI function that only answers."""
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]

    async def bare(_scope: object, _receive: object, send: Callable[[dict[str, Any]], Any]) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return bare
