"""Downloads in part: a client that was cut off asks for the rest (RFC 9110, 14)."""

import re
from collections.abc import Iterator

import msgspec

from penstock.api.common.call import Call

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class Span(msgspec.Struct, frozen=True):
    """The bytes from `first` to `last`, both of them too."""

    first: int
    last: int

    @property
    def length(self) -> int:
        """How many bytes these are; 0 when there are none such."""
        return max(self.last - self.first + 1, 0)


def choose_span(call: Call, size: int, tag: str) -> Span | None:
    """The one part of so many bytes that the request asks for; None when it is answered with all of them.

    A part of another version than the one with this tag is not asked for any more.
    """
    found = _RANGE.fullmatch(call.header("range").replace(" ", ""))
    if found is None or found[0] == "bytes=-" or call.header("if-range") not in {"", tag}:
        return None
    first, last = found.groups()
    if not first:
        return Span(max(size - int(last), 0), size - 1 if int(last) else -1)
    if last and int(last) < int(first):
        return None
    return Span(int(first), min(int(last), size - 1) if last else size - 1)


def cut_pieces(pieces: Iterator[bytes], length: int) -> Iterator[bytes]:
    """The first bytes of the pieces, which are closed with this."""
    try:
        for piece in pieces:
            yield piece[:length]
            length -= len(piece)
            if length <= 0:
                return
    finally:
        close = getattr(pieces, "close", None)
        if close is not None:
            close()
