"""One bounded request over HTTP: in time, in size, and in where it may lead."""

import time
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException, HTTPMessage
from typing import IO

from penstock.model.errors import UnavailableError

LONGEST_SILENCE = 10.0
"""Seconds without a byte."""

LONGEST_REQUEST = 30.0
"""Seconds for a whole answer."""

_CHUNK = 64 << 10

Check = Callable[[str], bool]


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects only to addresses that are allowed."""

    def __init__(self, check: Check) -> None:
        self._check = check

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        """The request for the new address, or None, which makes the answer an error."""
        allowed = self._check(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl) if allowed else None


def fetch_bytes(request: urllib.request.Request, largest: int, check: Check) -> bytes:
    """The body of the answer. `check` decides about the address and every redirect.

    Raises UnavailableError when the address is not allowed, nothing answers in time, or the answer is an
    error or larger than `largest` bytes.
    """
    address = request.full_url
    if not check(address):
        raise UnavailableError(f"{address} is not allowed")
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(), urllib.request.HTTPHandler(), urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(), urllib.request.HTTPErrorProcessor(), _Redirects(check),
    ):  # fmt: skip
        opener.add_handler(handler)
    try:
        with opener.open(request, timeout=LONGEST_SILENCE) as answer:
            return _read_bounded(answer, largest, address)
    except urllib.error.HTTPError as error:
        error.close()
        raise UnavailableError(f"{address} answers {error.code} {error.reason}") from error
    except (OSError, HTTPException, ValueError) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise UnavailableError(f"{address} does not answer: {reason}") from error


def _read_bounded(answer: IO[bytes], largest: int, address: str) -> bytes:
    started, parts, size = time.monotonic(), [], 0
    while chunk := answer.read(_CHUNK):
        size += len(chunk)
        if size > largest:
            raise UnavailableError(f"the answer of {address} is larger than {largest >> 10} KiB")
        if time.monotonic() - started > LONGEST_REQUEST:
            raise UnavailableError(f"{address} takes longer than {LONGEST_REQUEST:.0f} s")
        parts.append(chunk)
    return b"".join(parts)


def is_http(address: str) -> bool:
    """True for an address of the web."""
    return address.startswith(("https://", "http://"))
