"""Requests to a server, by the standard library: a command starts sooner than with a client of its own."""

import http.client
import os
import re
import socket
import ssl
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec

from penstock.cli.view.printable import clean_line
from penstock.model.errors import ForbiddenError, InvalidError, NotFoundError, RefusedError, UnavailableError

MOST_BYTES = 64 << 20
"""How large an answer may be that is read whole."""

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 60.0
_PIECE = 1 << 16
_TARGET = re.compile(r"/[!-~]*")
_MOST_TOLD = 500
_OK, _REDIRECTS, _ERRORS = range(200, 300), range(300, 400), range(400, 500)
_BUSY = {408, 429}


class AwayError(UnavailableError):
    """Nobody answers at present, which may be otherwise in a moment."""


class Reply(msgspec.Struct, frozen=True):
    """A status below 300 and the body."""

    status: int
    body: bytes


class Connection:
    """One connection to a server, opened when it is needed and again when it was closed.

    Every request may raise UnavailableError (nobody answers, or not as a server would), NotFoundError,
    ForbiddenError (also for a token nobody knows) or RefusedError, each a sentence for the user.
    """

    def __init__(self, url: str, token: str) -> None:
        self.url = check_url(url)
        self._token = check_token(token)
        self._open: http.client.HTTPConnection | None = None

    def ask(
        self, method: str, path: str, body: object = None, *, query: dict[str, Any] | None = None
    ) -> Reply:
        """The answer to a request, read whole. `path` is already percent-encoded."""
        target = f"{path}?{urlencode(query)}" if query else path
        with_body = None if body is None else msgspec.json.encode(body)
        response = self._send(method, target, with_body)
        try:
            data = response.read(MOST_BYTES + 1)
        except (OSError, http.client.HTTPException) as error:
            raise self._explain(error) from error
        if len(data) > MOST_BYTES:
            self.close()
            raise UnavailableError(f"{self.url} answers with more than {MOST_BYTES >> 20} MiB")
        if response.length:
            raise self._explain(http.client.IncompleteRead(data))
        if response.status not in _OK:
            raise self._refuse(response, data)
        return Reply(response.status, data)

    def download(self, path: str) -> Iterator[bytes]:
        """The body of the answer to a GET, in pieces. Raises UnavailableError too when it is cut off."""
        response = self._send("GET", path, None)
        if response.status not in _OK:
            raise self._refuse(response, response.read(MOST_BYTES))
        return self._read_pieces(response)

    def _read_pieces(self, response: http.client.HTTPResponse) -> Iterator[bytes]:
        left = response.length
        try:
            while piece := response.read(_PIECE):
                left = None if left is None else left - len(piece)
                yield piece
        except (OSError, http.client.HTTPException) as error:
            raise self._explain(error) from error
        if left:
            raise self._explain(http.client.IncompleteRead(b""))

    def close(self) -> None:
        """Nothing is open; the next request opens it again."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def _send(self, method: str, target: str, body: bytes | None) -> http.client.HTTPResponse:
        """The head of the answer. A connection that was idle may be closed by now: reads are sent again."""
        if method != "GET":
            self.close()
        again = self._open is not None
        try:
            return self._try_to_send(method, target, body)
        except (http.client.RemoteDisconnected, ConnectionError) as error:
            self.close()
            if not again:
                raise self._explain(error) from error
        except (OSError, http.client.HTTPException) as error:
            raise self._explain(error) from error
        try:
            return self._try_to_send(method, target, body)
        except (OSError, http.client.HTTPException) as error:
            raise self._explain(error) from error

    def _try_to_send(self, method: str, target: str, body: bytes | None) -> http.client.HTTPResponse:
        if not _TARGET.fullmatch(target):  # part of it came from the server
            raise UnavailableError(
                f"the answer of {self.url} makes no sense: what it names cannot be asked for"
            )
        if self._open is None:
            self._open = _connect(self.url)
        headers = {"Accept": "application/json", "Authorization": f"Bearer {self._token}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if not self._token:
            del headers["Authorization"]
        self._open.request(method, urlsplit(self.url).path + target, body=body, headers=headers)
        return self._open.getresponse()

    def _refuse(self, response: http.client.HTTPResponse, data: bytes) -> Exception:
        """What a status of 300 or more comes to."""
        self.close()
        told, status = _read_message(data), response.status
        if status in _REDIRECTS:
            place = clean_line(response.headers.get("location") or "elsewhere")[:_MOST_TOLD]
            return UnavailableError(f"{self.url} sends on to {place}: name that address instead")
        if status == http.client.UNAUTHORIZED:
            return ForbiddenError(
                f"{self.url} does not know the token: `penstock login {self.url}` takes another"
            )
        if status == http.client.FORBIDDEN:
            vague = told in {"", "Permission denied."}
            return ForbiddenError("neither your token nor your account may do this" if vague else told)
        if status == http.client.NOT_FOUND:
            return NotFoundError(told or "there is no such thing on the server")
        if status in _ERRORS and status not in _BUSY:
            return RefusedError(told or f"{self.url} refuses with status {status}")
        return AwayError(f"{self.url} answers {status}{f': {told}' if told else ''}")

    def _explain(self, error: OSError | http.client.HTTPException) -> UnavailableError:
        """Why nobody answers, and what to do."""
        self.close()
        kind = UnavailableError if isinstance(error, ssl.SSLError) else AwayError
        return kind(f"{self.url} {_word_fault(error)}")


def check_url(text: str) -> str:
    """The address of a server, without a slash at its end. Raises InvalidError for any other text."""
    if not _is_address(text):
        raise InvalidError(f"not the address of a server: {text!r}; give one like https://ci.example.com")
    return text.rstrip("/")


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        whole = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        return False
    extra = parts.username or parts.query or parts.fragment
    return bool(whole) and not extra and text.isprintable() and " " not in text


def check_token(text: str) -> str:
    """The token, which fits into a header. Raises InvalidError when it does not."""
    if not text.isascii() or not text.isprintable() or " " in text:
        raise InvalidError("that is no token: it has characters that none has")
    return text


def _connect(url: str) -> http.client.HTTPConnection:
    """A connection that is not open yet, through a proxy where the environment names one."""
    parts = urlsplit(url)
    host, port = str(parts.hostname), parts.port or {"http": 80, "https": 443}[parts.scheme]
    proxy = _find_proxy(parts.scheme, f"{host}:{port}")
    made = _Patient(host, port) if parts.scheme == "http" else _PatientTls(host, port)
    if proxy is not None:
        made = type(made)(str(proxy.hostname), proxy.port or 80)
        made.set_tunnel(host, port)
    return made


class _Patient(http.client.HTTPConnection):
    """Gives up soon when nobody is there, later when somebody is at work."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(host, port, timeout=CONNECT_SECONDS)

    def connect(self) -> None:
        super().connect()
        self.sock.settimeout(ANSWER_SECONDS)


class _PatientTls(http.client.HTTPSConnection):
    """The same over TLS."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(host, port, timeout=CONNECT_SECONDS, context=ssl.create_default_context())

    def connect(self) -> None:
        super().connect()
        self.sock.settimeout(ANSWER_SECONDS)


def _find_proxy(scheme: str, host: str) -> Any:  # noqa: ANN401 - parts of a URL, or None
    """The proxy that the environment names for the host."""
    if not any(name.lower() in {f"{scheme}_proxy", "all_proxy"} for name in os.environ):
        return None
    from urllib.request import getproxies, proxy_bypass

    named = getproxies()
    address = named.get(scheme) or named.get("all")
    if not address or proxy_bypass(host):
        return None
    return urlsplit(address if "://" in address else f"http://{address}")


_FAULTS: tuple[tuple[type[Exception], str], ...] = (
    (ssl.SSLError, "does not speak TLS as this program does; is its address one with http://?"),
    (socket.gaierror, "cannot be found: there is no such host"),
    (TimeoutError, "does not answer in time"),
    (http.client.IncompleteRead, "broke off in the middle of its answer"),
    (ConnectionRefusedError, "does not answer: no server listens there"),
    (ConnectionError, "closed the connection without an answer"),
    (http.client.HTTPException, "does not speak HTTP"),
)
"""The first class that fits counts."""


def _word_fault(error: OSError | http.client.HTTPException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        way_out = "SSL_CERT_FILE may name the certificate of whoever signed it"
        return f"has a certificate that is not trusted ({error.verify_message}); {way_out}"
    known = next((told for kind, told in _FAULTS if isinstance(error, kind)), "")
    return known or f"cannot be reached: {error}"


def _read_message(data: bytes) -> str:
    """What an error's body says, as it may be printed; "" when it says nothing."""
    try:
        body = msgspec.json.decode(data, type=dict[str, Any])
        told = body.get("message") or body.get("error")  # as some services of CircleCI's API call it
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    return clean_line(" ".join(told.split()))[:_MOST_TOLD] if isinstance(told, str) else ""
