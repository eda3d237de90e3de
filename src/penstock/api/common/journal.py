"""One line in the log for each request, and the id that ties everything about it together."""

import itertools
import logging
import re
import secrets

from penstock.api.common.call import Call, RawHeaders
from penstock.api.common.meter import Meter

_log = logging.getLogger("penstock.request")
_GIVEN = re.compile(rb"[A-Za-z0-9._:=+/-]{1,100}")
_MOST_PATH = 200

_STEM = secrets.token_hex(5)  # of this process
_numbers = itertools.count()


def pick_request_id(headers: RawHeaders) -> str:
    """The id the caller gave in X-Request-Id if it is a plain word, else a new one."""
    for name, value in headers:
        if name == b"x-request-id" and _GIVEN.fullmatch(value):
            return value.decode("ascii")
    return f"{_STEM}{next(_numbers):06x}"


def note_request(call: Call, status: int, seconds: float, meter: Meter) -> None:
    """Count the request and write its line. The query string may hold secrets and is not written."""
    template = call.template
    meter.count(call.method if template else "", template or "none", status, None if call.held else seconds)
    if call.quiet and status < 400:  # noqa: PLR2004 - the first status of an error
        return
    if not _log.isEnabledFor(logging.INFO):
        return
    facts = {
        "method": call.method,
        "path": call.path[:_MOST_PATH],
        "route": template,
        "status": status,
        "ms": round(seconds * 1000, 1),
        "request": call.request_id,
        "peer": call.peer,
    }
    if call.caller is not None:
        facts["caller"] = call.caller.name
    _log.info("request", extra={"facts": facts})
