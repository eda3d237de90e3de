"""Sends one webhook within a bound of time, to an address that was looked at."""

import io
import socket
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from contextlib import closing
from functools import cache, partial
from http.client import HTTPException, HTTPResponse
from typing import cast

import msgspec

from penstock.model.errors import InvalidError, UnavailableError
from penstock.notify.address import Reach, Resolve, Target, find_addresses, read_target, resolve_host

PATIENCE = 10.0
"""Seconds for all of it (CircleCI docs: outbound webhooks)."""

KEPT = 4096
"""Bytes of an answer that are read; the rest never is."""

_MOST_READ = 64 << 10
"""Bytes that are taken of a connection in all, heads of answers among them."""

_SHOWN = 300


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be sent where. Its representation has neither the body nor the signature."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    verify_tls: bool = True

    def __repr__(self) -> str:
        return f"Parcel({len(self.body)} bytes)"


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an attempt. `status` is None when there was no answer, and `error` says why.

    `wait` is how long the receiver asks to be left alone, in its own words. `final` when no later attempt
    at the same address can go better, `ours` when it is not the receiver that is at fault.
    """

    status: int | None = None
    answer: str = ""
    error: str = ""
    wait: str = ""
    duration: int = 0  # milliseconds
    final: bool = False
    ours: bool = False

    @property
    def delivered(self) -> bool:
        """True when the receiver took it."""
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004 - the statuses of success


class Sender:
    """Sends webhooks as far as the operator lets it; any number of threads may use it."""

    def __init__(
        self, reach: Reach, resolve: Resolve = resolve_host, *, patience: float = PATIENCE, trust: str = ""
    ) -> None:
        self.reach = reach
        self._resolve = resolve
        self._patience = patience
        self._context = cache(partial(_make_context, trust))

    def send(self, parcel: Parcel) -> Receipt:
        """What became of it; it never raises for what an address, the network or a receiver does.

        Redirects are not followed: an answer that is one counts as a failure, as any but 2xx does.
        """
        line = _Line(self._patience)
        try:
            target = read_target(parcel.url, self.reach)
            addresses = find_addresses(target, self.reach, partial(_resolve_in_time, self._resolve, line))
            with closing(_connect(addresses, target.port, line)) as plain:
                context = self._context(parcel.verify_tls) if target.secure else None
                plain.settimeout(line.left)
                with closing(_seal(plain, context, target)) as connection:
                    status, answer, wait = _exchange(connection, target, parcel, line)
        except InvalidError as error:
            return Receipt(error=str(error), duration=line.passed, final=True)
        except UnavailableError as error:
            return Receipt(error=str(error), duration=line.passed)
        except (OSError, HTTPException, ValueError) as error:
            return Receipt(error=_explain(error, line), duration=line.passed)
        error_text = "" if 200 <= status < 300 else f"the receiver answered with status {status}"  # noqa: PLR2004 - success
        return Receipt(status=status, answer=answer, wait=wait, error=error_text, duration=line.passed)


class _Line:
    """The time of one attempt."""

    def __init__(self, patience: float) -> None:
        self.patience = patience
        self._begin = time.monotonic()

    @property
    def passed(self) -> int:
        """Milliseconds since the attempt began."""
        return round((time.monotonic() - self._begin) * 1000)

    @property
    def left(self) -> float:
        """Seconds that are left. Raises TimeoutError when there are none."""
        left = self._begin + self.patience - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


def _resolve_in_time(resolve: Resolve, line: _Line, name: str, port: int) -> Sequence[str]:
    """The addresses, when they are known in time. Raises TimeoutError, and what `resolve` does.

    The system cannot be told to stop looking, and name servers that never answer are easily had: the thread
    that asks them is left behind, and ends when the system has given up.
    """
    answer: Future[Sequence[str]] = Future()

    def ask() -> None:
        try:
            answer.set_result(resolve(name, port))
        except (OSError, UnicodeError) as error:
            answer.set_exception(error)

    threading.Thread(target=ask, name="penstock-resolve", daemon=True).start()
    return answer.result(line.left)


class _Drip(io.RawIOBase):
    """The first bytes of a connection. However slowly they come, no call outlasts the attempt."""

    def __init__(self, connection: socket.socket, line: _Line) -> None:
        self._connection = connection
        self._line = line
        self._room = _MOST_READ

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # what `BufferedReader` gives
        if not self._room:
            raise HTTPException("no answer needs so much")
        self._connection.settimeout(self._line.left)
        size = self._connection.recv_into(buffer, min(len(buffer), self._room))
        self._room -= size
        return size


class _Answering:
    """What http.client takes for a socket when it reads an answer."""

    def __init__(self, connection: socket.socket, line: _Line) -> None:
        self._drip = _Drip(connection, line)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """The bytes, buffered."""
        return io.BufferedReader(self._drip)


def _connect(addresses: tuple[str, ...], port: int, line: _Line) -> socket.socket:
    """A connection to the first of the addresses that takes one; nothing is resolved again."""
    failed: OSError = ConnectionError()
    for number, address in enumerate(addresses):
        try:
            share = line.left / (len(addresses) - number)
            connection = socket.create_connection((address, port), timeout=share)
        except OSError as error:
            failed = error
            continue
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection
    raise failed


def _seal(plain: socket.socket, context: ssl.SSLContext | None, target: Target) -> socket.socket:
    """The connection under TLS, when there is to be any; the certificate must be for the name."""
    return plain if context is None else context.wrap_socket(plain, server_hostname=target.name)


def _exchange(connection: socket.socket, target: Target, parcel: Parcel, line: _Line) -> tuple[int, str, str]:
    """Status and beginning of the answer, and the seconds it asks for."""
    headers = {"Host": target.header, **parcel.headers, "Content-Length": str(len(parcel.body))}
    lines = [f"POST {target.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    head = "\r\n".join([*lines, "Connection: close", "", ""])
    connection.settimeout(line.left)
    connection.sendall(head.encode("latin-1") + parcel.body)
    with closing(
        HTTPResponse(cast("socket.socket", _Answering(connection, line)), method="POST")
    ) as response:
        response.begin()
        wait = response.headers.get("retry-after", "")[:_SHOWN]
        return response.status, _read_some(response), wait


def _read_some(response: HTTPResponse) -> str:
    """The beginning of the answer's text; what is cut off or late does not matter once there is a status."""
    said = b""
    try:
        while len(said) < KEPT and (piece := response.read1(KEPT - len(said))):
            said += piece
    except (OSError, HTTPException, ValueError):
        pass
    return said.decode("utf-8", "replace")


def _make_context(trust: str, verify: bool) -> ssl.SSLContext:  # noqa: FBT001 - the key of a cache
    """Certificates are those the system trusts, or those in the file; they take long to read."""
    context = ssl.create_default_context(cafile=trust or None)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _explain(error: Exception, line: _Line) -> str:
    """Why there was no answer, without addresses."""
    if isinstance(error, TimeoutError):
        return f"no answer within {line.patience:g} s"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate cannot be trusted: {error.verify_message}"[:_SHOWN]
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {error.reason or 'broken off'}"[:_SHOWN]
    if isinstance(error, OSError) and error.strerror:
        return f"no connection: {error.strerror}"[:_SHOWN]
    return "the answer is none of HTTP" if isinstance(error, HTTPException) else "the connection broke"
