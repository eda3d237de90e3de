"""Listens for HTTP and hands requests to the application."""

import contextlib
import resource
import socket
import ssl
from collections.abc import Callable, Iterator

import uvicorn

from penstock.api.common.app import App
from penstock.bootstrap.patience import PatientProtocol
from penstock.bootstrap.settings import Settings
from penstock.model.errors import InvalidError, UnavailableError

BACKLOG = 1024
OWN_FILES = 384
"""Files a server may have open beside connections: the database, repositories, output of jobs."""

KEEP_ALIVE = 75
"""Seconds an idle connection stays open."""

STALLED = 120_000
"""Milliseconds after which a caller who takes nothing of what was sent is given up."""

_WATCH = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60),  # seconds, as the next
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 15),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, STALLED),
)
"""Options by which the kernel notices that a caller is gone; connections have them from their listener."""


def open_sockets(host: str, port: int) -> list[socket.socket]:
    """Listening sockets on every address of the host. Raises UnavailableError when one cannot be had."""
    sockets: list[socket.socket] = []
    try:
        for family, kind, protocol, _, address in _find_addresses(host, port):
            if port == 0 and sockets:
                address = (address[0], sockets[0].getsockname()[1], *address[2:])  # noqa: PLW2901 - the same port for all
            sockets.append(_listen(family, kind, protocol, address))
    except OSError as error:
        for each in sockets:
            each.close()
        way_out = "another program may listen there: choose another --port"
        raise UnavailableError(f"cannot listen on {host} port {port}: {error.strerror}; {way_out}") from error
    return sockets


def show_address(sockets: list[socket.socket], settings: Settings) -> str:
    """The URL of the server as it is reached from this machine."""
    port = sockets[0].getsockname()[1]
    wild = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - read, not bound
    host = wild.get(settings.host, settings.host)
    scheme = "https" if settings.tls_cert else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


class Listener(uvicorn.Server):
    """Serves the application until told to stop; signals are not its business.

    `started` is called once requests are answered.
    """

    def __init__(self, app: App, settings: Settings, started: Callable[[], None]) -> None:
        super().__init__(_configure(app, settings))
        self._tell = started

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say so."""
        await super().startup(sockets)
        self._tell()


def _configure(app: App, settings: Settings) -> uvicorn.Config:
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http=PatientProtocol,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        limit_concurrency=bound_connections(settings.connections),
        timeout_keep_alive=KEEP_ALIVE,
        h11_max_incomplete_event_size=1 << 16,
    )
    if settings.tls_cert:
        config.load()
        config.ssl = load_tls(settings)
    return config


def bound_connections(wanted: int) -> int:
    """As many as wanted, or fewer when this process may not open so many files and some for its own use."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return wanted if soft == resource.RLIM_INFINITY else max(min(wanted, soft - OWN_FILES), 16)


def load_tls(settings: Settings) -> ssl.SSLContext:
    """The certificate and its key, for servers. Raises InvalidError when they cannot be used."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(settings.tls_cert, settings.tls_key)
    except (OSError, ssl.SSLError) as error:
        reason = error.strerror or str(error)
        raise InvalidError(f"tls_cert and tls_key cannot be used: {reason}") from error
    return context


def _find_addresses(host: str, port: int) -> list[tuple[int, int, int, str, tuple[str, int]]]:
    return socket.getaddrinfo(  # type: ignore[return-value]  # addresses of IP families only
        host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )


def _listen(family: int, kind: int, protocol: int, address: tuple[str, int]) -> socket.socket:
    made = socket.socket(family, kind, protocol)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        for level, option, value in _WATCH:
            made.setsockopt(level, option, value)
        made.bind(address)
        made.listen(BACKLOG)
    except BaseException:
        made.close()
        raise
    made.setblocking(False)  # noqa: FBT003 - its only argument
    return made
