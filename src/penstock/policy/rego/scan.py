"""The words of a Rego module with their places."""

import json
import re
from typing import NamedTuple

from penstock.policy.rego.errors import RegoError

_WORD = re.compile(
    r"""(?P<space>[ \t\r]+|\#[^\n]*)
      | (?P<line>\n)
      | (?P<name>[^\W\d]\w*)
      | (?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
      | (?P<text>"(?:[^"\\\n]|\\.)*")
      | (?P<raw>`[^`]*`)
      | (?P<sign>:=|==|!=|<=|>=|.)""",
    re.VERBOSE | re.DOTALL,
)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


class Word(NamedTuple):
    """A word: what kind it is, its text as written, its line, and what is before it."""

    kind: str  # name, number, text, raw, sign, end
    text: str
    line: int
    first: bool  # the first of its line
    apart: bool  # there is a blank or a line end before it

    @property
    def value(self) -> str:
        """What a text says."""
        if self.kind == "raw":
            return self.text[1:-1]
        try:
            said = str(json.loads(self.text))
        except ValueError:
            raise RegoError(self.line, "invalid escape in a string") from None
        return said.encode("utf-8", "replace").decode()


def scan_module(source: str) -> list[Word]:
    """The words of the module and an `end`, comments left out.

    Raises RegoError for what no module can hold.
    """
    bad = _CONTROL.search(source)
    if bad is not None:
        raise RegoError(source.count("\n", 0, bad.start()) + 1, f"illegal character {bad.group()!r}")
    words: list[Word] = []
    line, first, apart = 1, True, True
    for match in _WORD.finditer(source):
        kind, text = match.lastgroup or "", match.group()
        if kind == "line":
            line, first = line + 1, True
        elif kind != "space":
            if kind == "sign" and text in {'"', "`", "'"}:
                raise RegoError(line, "non-terminated string" if text != "'" else "illegal token '")
            words.append(Word(kind, text, line, first, apart or first))
            line += text.count("\n") if kind == "raw" else 0
            first = False
        apart = kind in {"line", "space"}
    words.append(Word("end", "", line, first=True, apart=True))
    return words
