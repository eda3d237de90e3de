"""Answers that are worth it are sent compressed to callers who can read that."""

import gzip

from penstock.api.common.answer import JSON, Answer, Headers
from penstock.api.common.call import Call

SMALLEST = 4096
"""Bytes; below that compressing costs more than it saves on a local network."""

_LEVEL = 1
_KINDS = (JSON, "text/", "application/javascript", "image/svg")


def compress(call: Call, answer: Answer) -> tuple[bytes, Headers]:
    """The whole body as it is to be sent, and the headers that say so."""
    body = answer.body if isinstance(answer.body, bytes) else b""
    if len(body) < SMALLEST or not answer.media.startswith(_KINDS):
        return body, ()
    vary: Headers = (("vary", "accept-encoding"),)
    if not accepts_gzip(call.header("accept-encoding")):
        return body, vary
    return gzip.compress(body, _LEVEL, mtime=0), (*vary, ("content-encoding", "gzip"))


def accepts_gzip(header: str) -> bool:
    """True when the header Accept-Encoding lets gzip (RFC 9110, 12.5.3)."""
    for entry in header.split(","):
        name, _, rest = entry.partition(";")
        if name.strip().lower() in {"gzip", "*"}:
            return rest.replace(" ", "").lower() not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False
