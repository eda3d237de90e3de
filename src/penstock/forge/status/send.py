"""Sends one request to a host within a bound of time, and says whether to try again."""

import email.utils
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from enum import StrEnum
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from socket import SHUT_RDWR, socket

import msgspec

from penstock.forge.registry.web import is_http
from penstock.forge.status.request import Request

LONGEST_REQUEST = 20.0
"""Seconds for all of it."""

_LONGEST_SILENCE = 10.0
_LONGEST_WAIT = 3600.0
_READ = 2048
_SHOWN = 200
_AGAIN = {408, 409, 421, 425, 429}
_LIMITED = {403, 429}
_SERVER = 500


class Outcome(StrEnum):
    """What became of a request."""

    DELIVERED = "delivered"
    RETRY = "retry"  # it may go better later
    FINAL = "final"  # it will never


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What a host answered. `wait` is how many seconds it asks us to let pass before the next try."""

    outcome: Outcome
    status: int = 0
    message: str = ""
    wait: float = 0.0


class _Line:
    """The connections of one request, which are cut when its time is over."""

    def __init__(self) -> None:
        self._sockets: list[socket] = []
        self.overdue = False

    def plain(self, host: str, *, timeout: float | None = None) -> HTTPConnection:
        return self._watch(HTTPConnection(host, timeout=timeout))

    def sealed(self, host: str, *, timeout: float | None = None) -> HTTPConnection:
        return self._watch(HTTPSConnection(host, timeout=timeout))

    def _watch(self, connection: HTTPConnection) -> HTTPConnection:
        connect = connection.connect

        def connect_and_note() -> None:
            connect()
            if self.overdue:
                raise TimeoutError
            self._sockets.append(connection.sock)

        connection.connect = connect_and_note  # type: ignore[method-assign]  # one connection, not the class
        return connection

    def cut(self) -> None:
        self.overdue = True
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(SHUT_RDWR)


class _Plain(urllib.request.HTTPHandler):
    def __init__(self, line: _Line) -> None:
        super().__init__()
        self._line = line

    def http_open(self, req: urllib.request.Request) -> HTTPResponse:
        return self.do_open(self._line.plain, req)  # type: ignore[arg-type]  # it is called with these


class _Sealed(urllib.request.HTTPSHandler):
    def __init__(self, line: _Line) -> None:
        super().__init__()
        self._line = line

    def https_open(self, req: urllib.request.Request) -> HTTPResponse:
        return self.do_open(self._line.sealed, req)  # type: ignore[arg-type]  # it is called with these


def send_request(request: Request, *, now: float, seconds: float = LONGEST_REQUEST) -> Sent:
    """What became of the request; it never raises for what a host or the network does.

    `now` is the time in seconds since the epoch, for hosts that name the hour of the next try. Redirects are
    not followed: the token is for this host alone, and is in no message.
    """
    if not is_http(request.url):
        return Sent(outcome=Outcome.FINAL, message="the address of the host is none of the web")
    line = _Line()
    opener = urllib.request.OpenerDirector()
    for handler in (urllib.request.ProxyHandler(), _Plain(line), _Sealed(line)):
        opener.add_handler(handler)
    asked = urllib.request.Request(  # noqa: S310 - checked above
        request.url, data=request.body, headers=dict(request.headers), method=request.method
    )
    timer = threading.Timer(seconds, line.cut)
    timer.daemon = True
    timer.start()
    try:
        with opener.open(asked, timeout=min(seconds, _LONGEST_SILENCE)) as answer:
            said = answer.read(_READ)
            headers = {name.lower(): value for name, value in answer.headers.items()}
            if line.overdue:
                raise TimeoutError
            return classify_answer(answer.status, headers, _hide_token(request, said), now)
    except ValueError:  # its words hold the header that cannot be one
        return Sent(outcome=Outcome.FINAL, message=f"{_name(request)} cannot be asked with this token")
    except (OSError, HTTPException) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        told = f"no answer within {seconds:.0f} s" if line.overdue else f"does not answer: {reason}"
        return Sent(outcome=Outcome.RETRY, message=f"{_name(request)} {told}"[:_SHOWN])
    finally:
        timer.cancel()


def classify_answer(status: int, headers: Mapping[str, str], said: bytes, now: float) -> Sent:
    """What an answer means. A host that limits us says when to come back, or is left alone for a minute."""
    if 200 <= status < 300:  # noqa: PLR2004 - the statuses of success
        return Sent(outcome=Outcome.DELIVERED, status=status)
    wait = find_wait(headers, now)
    limited = status in _LIMITED and (wait > 0 or headers.get("x-ratelimit-remaining") == "0")
    words = " ".join(said.decode(errors="replace").split())[:_SHOWN]
    if limited or status in _AGAIN or status >= _SERVER:
        pause = wait or (60.0 if limited or status in _LIMITED else 0.0)
        return Sent(outcome=Outcome.RETRY, status=status, message=words, wait=pause)
    if b"Cannot transition status" in said:  # GitLab, when the status is what it was
        return Sent(outcome=Outcome.DELIVERED, status=status)
    return Sent(outcome=Outcome.FINAL, status=status, message=words)


def find_wait(headers: Mapping[str, str], now: float) -> float:
    """Seconds until the host wants to hear from us again, at most an hour; 0 when it does not say."""
    after = headers.get("retry-after", "").strip()
    if after.isascii() and after.isdecimal():
        return min(float(after), _LONGEST_WAIT)
    if after:
        with suppress(ValueError, OverflowError):
            return _bound(email.utils.parsedate_to_datetime(after).timestamp() - now)
    reset = headers.get("x-ratelimit-reset", headers.get("ratelimit-reset", ""))
    remaining = headers.get("x-ratelimit-remaining", headers.get("ratelimit-remaining", ""))
    if remaining == "0" and reset.isascii() and reset.isdecimal():
        return _bound(float(reset) - now)
    return 0.0


def _bound(seconds: float) -> float:
    return min(max(seconds, 0.0), _LONGEST_WAIT)


def _hide_token(request: Request, said: bytes) -> bytes:
    """The answer without what we sent to prove who we are, should the host repeat it."""
    for name in ("Authorization", "PRIVATE-TOKEN"):
        token = request.headers.get(name, "").rpartition(" ")[2].encode()
        said = said.replace(token, b"****") if token else said
    return said


def _name(request: Request) -> str:
    """The host of a request, for messages."""
    return request.url.partition("://")[2].partition("/")[0]
