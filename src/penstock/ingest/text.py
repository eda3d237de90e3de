"""XML as bytes in any encoding, made into UTF-8 that an XML parser accepts."""

import codecs
import re
import sys
from io import RawIOBase
from typing import IO

from typing_extensions import Buffer

_PIECE = 256 << 10
_HEAD = 1024  # bytes in which an XML declaration ends
_TAIL = 12  # characters a reference such as `&#x1F600;` may have
_DECLARED = re.compile(rb"""<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"<\0?\0", "utf-16-le"),
    (b"\0<\0?", "utf-16-be"),
)
_KNOWN = ("utf-8", "ascii", "iso8859", "cp", "koi8", "mac-", "big5", "gb", "shift_jis", "euc_", "hp-roman8")
_LEGAL = re.compile("[\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r"))
_NO_CHARACTERS = ("\ufffe".encode(), "\uffff".encode())
_REFERENCE = re.compile(rb"&#(?:[xX]([0-9a-fA-F]+)|([0-9]+));")


def find_encoding(head: bytes) -> str:
    """The encoding of a text by its first bytes: its mark, else what it declares, else UTF-8.

    Raises LookupError for one that nobody should decode a report with.
    """
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    declared = _DECLARED.match(head.lstrip())
    if declared is None:
        return "utf-8"
    name = codecs.lookup(declared[1].decode()).name
    if name.startswith(("utf-16", "utf-32")):
        return "utf-8"  # it says so in single bytes, so it is not true (.NET's string writers)
    if not name.startswith(_KNOWN):
        raise LookupError(f"unknown encoding: {declared[1].decode()}")
    return name


class CleanText(RawIOBase):
    """The text of a report in UTF-8, without what XML forbids: control characters, also as references.

    Runners copy the colours of a terminal into reports. Bytes that are wrong in their encoding become
    U+FFFD.
    """

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        head = source.read(_HEAD)
        self._decoder = codecs.getincrementaldecoder(find_encoding(head))("replace")
        self._kept = ""
        self._ended = False
        self._ready = self._clean(head.lstrip(b" \t\r\n"))

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Buffer) -> int:
        """Fill the buffer; 0 at the end."""
        target = memoryview(buffer).cast("B")
        while not self._ready and not self._ended:
            piece = self._source.read(_PIECE)
            self._ended = not piece
            self._ready = self._clean(piece)
        count = min(len(target), len(self._ready))
        target[:count], self._ready = self._ready[:count], self._ready[count:]
        return count

    def read(self, size: int = -1) -> bytes:
        """At most so many bytes; none at the end."""
        buffer = bytearray(size if size >= 0 else _PIECE)
        return bytes(buffer[: self.readinto(buffer)])

    def _clean(self, data: bytes) -> bytes:
        text = (self._kept + self._decoder.decode(data, final=self._ended)).removeprefix("\ufeff")
        cut = len(text) if self._ended else _find_reference(text)
        self._kept = text[cut:]
        return _clean_bytes(text[:cut].encode())


def _find_reference(text: str) -> int:
    """Where a reference begins that the text may have cut off; its length when there is none."""
    start = text.rfind("&", max(len(text) - _TAIL, 0))
    return start if start >= 0 and ";" not in text[start:] else len(text)


def _clean_bytes(data: bytes) -> bytes:
    """UTF-8 without what XML forbids. On bytes: a regular expression takes five times as long."""
    data = data.translate(None, _CONTROLS)
    for each in _NO_CHARACTERS:
        data = data.replace(each, b"")
    return _REFERENCE.sub(_judge_reference, data) if b"&#" in data else data


def _judge_reference(match: "re.Match[bytes]") -> bytes:
    digits, base = (match[1], 16) if match[1] else (match[2], 10)
    code = int(digits, base) if len(digits) < _TAIL else 0
    return match[0] if code <= sys.maxunicode and _LEGAL.match(chr(code)) else b""
