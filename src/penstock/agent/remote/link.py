"""Connections to a server that stay open, each used by one thread at a time, made anew when they break."""

import http.client
import platform
import ssl
import sys
import threading
from collections.abc import Mapping

import msgspec

from penstock import __version__
from penstock.agent.remote.address import Address
from penstock.kit.shapes import learn
from penstock.model.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    LimitExceededError,
    NotFoundError,
    PenstockError,
    RefusedError,
    UnavailableError,
)
from penstock.wire.protocol import MEDIA, PROTOCOL, PROTOCOL_HEADER, VERSION_HEADER, Fault

CONNECT = 10.0
"""Seconds for a connection to come about."""

ANSWER = 60.0
"""Seconds for which the server may say nothing, unless it was asked to wait."""

SLOWEST = 32 << 10
"""Bytes a second at which a body may still be sent."""

MOST_BYTES = 512 << 20
"""Bytes of an answer that is read whole."""

SYSTEM = f"{sys.platform}/{platform.machine()}"
_HEADERS = {PROTOCOL_HEADER: str(PROTOCOL), VERSION_HEADER: __version__, "accept-encoding": "identity"}
_GOOD = range(200, 300)


class UnknownTokenError(ForbiddenError):
    """The server does not know the token, or does not any more."""


_KINDS: Mapping[int, type[PenstockError]] = {
    400: InvalidError,
    401: UnknownTokenError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    413: LimitExceededError,
    422: LimitExceededError,
    426: RefusedError,
}


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """A request, which the server was asked to hold for `wait` seconds, and may take `patience` besides."""

    method: str
    path: str
    token: str
    body: bytes = b""
    media: str = MEDIA
    headers: Mapping[str, str] = {}
    wait: float = 0.0
    patience: float = ANSWER

    def __repr__(self) -> str:
        """Without what is secret."""
        return f"Ask({self.method} {self.path})"


class Link:
    """A connection to the server. Only one thread may use it."""

    def __init__(self, address: Address, trust: ssl.SSLContext | None) -> None:
        self._address = address
        self._trust = trust
        self._connection: http.client.HTTPConnection | None = None

    def ask(self, ask: Ask) -> bytes:
        """The body of a good answer. Raises what the server refused with, or UnavailableError."""
        with self.open(ask) as response:
            try:
                body = response.read(MOST_BYTES)
                check_whole(response)
            except (OSError, http.client.HTTPException) as error:
                self.close()
                raise _explain(self._address, error) from error
        return body

    def open(self, ask: Ask) -> http.client.HTTPResponse:
        """A good answer, to be read; the next may be asked for when it was read to its end.

        A connection that had been idle may have been closed by the server: that is tried once more at once.
        """
        was_used = self._connection is not None
        try:
            response = self._send(ask)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            stale = isinstance(error, ConnectionError | http.client.RemoteDisconnected)
            if not (was_used and stale):
                raise _explain(self._address, error) from error
            return self.open(ask)
        if response.status not in _GOOD:
            raise self._refuse(response)
        return response

    def close(self) -> None:
        """The next request makes a new connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _send(self, ask: Ask) -> http.client.HTTPResponse:
        connection = self._connection or self._connect()
        self._connection = connection
        connection.timeout = ask.patience + ask.wait + len(ask.body) / SLOWEST
        if connection.sock is not None:
            connection.sock.settimeout(connection.timeout)
        headers = {**_HEADERS, "authorization": f"Bearer {ask.token}", **ask.headers}
        if ask.body or ask.method != "GET":
            headers["content-type"] = ask.media
        proxy = self._address.proxy
        if proxy is not None and proxy.authorization and not self._address.tls:
            headers["proxy-authorization"] = proxy.authorization
        connection.request(ask.method, self._target(ask.path), body=ask.body or None, headers=headers)
        return connection.getresponse()

    def _target(self, path: str) -> str:
        address = self._address
        if address.proxy is not None and not address.tls:
            return f"{address.url}{path}"
        return f"{address.path}{path}"

    def _connect(self) -> http.client.HTTPConnection:
        """A connection that is open, to the server or to the proxy."""
        address, proxy = self._address, self._address.proxy
        host, port = (proxy.host, proxy.port) if proxy else (address.host, address.port)
        made: http.client.HTTPConnection
        if address.tls:
            made = http.client.HTTPSConnection(host, port, timeout=CONNECT, context=self._trust)
            if proxy is not None:
                given = {"Proxy-Authorization": proxy.authorization} if proxy.authorization else {}
                made.set_tunnel(address.host, address.port, headers=given)
        else:
            made = http.client.HTTPConnection(host, port, timeout=CONNECT)
        made.connect()
        return made

    def _refuse(self, response: http.client.HTTPResponse) -> PenstockError:
        """The error an answer stands for. One that is not a server's own comes from something in between."""
        try:
            body = response.read(1 << 20)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            return _explain(self._address, error)
        if not response.isclosed():
            self.close()
        status, place = response.status, self._address.url
        try:
            message = msgspec.msgpack.decode(body, type=learn(Fault)).message
        except (msgspec.DecodeError, UnicodeDecodeError):
            return UnavailableError(
                f"{place} answered {status}, not as a Penstock server does: check --server"
            )
        kind = _KINDS.get(status, UnavailableError)
        return kind(message)


class Links:
    """Connections for any thread: those nobody uses wait for the next who asks."""

    def __init__(self, address: Address, trust: ssl.SSLContext | None) -> None:
        self.address = address
        self._trust = trust
        self._lock = threading.Lock()
        self._idle: list[Link] = []
        self._closed = False

    def ask(self, ask: Ask) -> bytes:
        """What `Link.ask` does, with a connection that nobody else uses meanwhile."""
        with self._lock:
            link = self._idle.pop() if self._idle else self.make_link()
        try:
            return link.ask(ask)
        finally:
            self._put_back(link)

    def make_link(self) -> Link:
        """A connection of its own."""
        return Link(self.address, self._trust)

    def close(self) -> None:
        """No connection stays open; those in use are closed after their answer."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for link in idle:
            link.close()

    def _put_back(self, link: Link) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(link)
                return
        link.close()


def check_whole(response: http.client.HTTPResponse) -> None:
    """Return when an answer that was read to its end came whole, else raise IncompleteRead.

    The library says nothing when the end of a connection is the end of the body, meant or not.
    """
    if response.chunked or response.status == 204:  # noqa: PLR2004 - no content
        return
    if response.length is None or response.length > 0:
        raise http.client.IncompleteRead(b"")


def _explain(address: Address, error: Exception) -> UnavailableError:
    """Why the server cannot be reached, for people."""
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = (
            f"its certificate is not trusted ({error.verify_message}); --ca names a file with its authority"
        )
    elif isinstance(error, ssl.SSLError):
        reason = f"TLS fails ({error.reason}); does it speak HTTPS?"
    elif isinstance(error, TimeoutError):
        reason = "it does not answer in time"
    elif isinstance(error, http.client.RemoteDisconnected | http.client.IncompleteRead):
        reason = "the connection was cut"
    elif isinstance(error, OSError):
        reason = error.strerror or str(error)
    else:
        reason = f"what answers there is no HTTP ({error!r})"
    return UnavailableError(f"the server {address.url} cannot be reached: {reason}")
