"""A server's HTTP surface on a loopback port of the test's own process, over the engine of a test."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from penstock.agent.remote.address import load_trust, read_address
from penstock.agent.remote.link import Links
from penstock.api.common.app import make_app
from penstock.api.common.meter import Meter
from penstock.api.common.server import Server
from penstock.api.dialects import DIALECTS
from penstock.bootstrap.http import Listener, open_sockets
from penstock.bootstrap.settings import Settings
from penstock.engine.gateway import Gateway
from penstock.engine.unit import Parts
from penstock.store.sealing import Sealer

SEALER = Sealer([b"k" * 32])


class Served:
    """Where the server is, and the connections of an agent to it."""

    def __init__(self, parts: Parts, url: str) -> None:
        self.parts = parts
        self.url = url
        self.links = connect(url)


def connect(url: str, authorities: str = "") -> Links:
    """Connections to the server of that URL."""
    address = read_address(url)
    return Links(address, load_trust(authorities) if address.tls else None)


@contextmanager
def serving(
    parts: Parts, gateway: Gateway, port: int = 0, cert: tuple[Path, Path] | None = None
) -> Iterator[Served]:
    """The surface answers inside the block."""
    settings = Settings(tls_cert=str(cert[0]), tls_key=str(cert[1])) if cert else Settings()
    sockets = open_sockets("127.0.0.1", port)
    server = Server(parts=parts, gateway=gateway, meter=Meter(), sealer=SEALER)
    app = make_app(server, DIALECTS)
    started = threading.Event()
    listener = Listener(app, settings, started.set)
    thread = threading.Thread(target=lambda: asyncio.run(listener.serve(sockets)))
    thread.start()
    try:
        assert started.wait(20)
        number = sockets[0].getsockname()[1]
        served = Served(parts, f"{'https' if cert else 'http'}://127.0.0.1:{number}")
        yield served
        served.links.close()
    finally:
        listener.should_exit = True
        listener.force_exit = True
        gateway.end_waits()
        thread.join(20)
        app.close()
        for each in sockets:
            each.close()
