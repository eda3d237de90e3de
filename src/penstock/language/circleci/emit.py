"""YAML text in the layout the vendor's compiler prints: two blanks, lists flush with their key."""

import json
import re
from functools import lru_cache
from typing import NamedTuple

from penstock.language.common.scalars import TEXT, resolve_plain, show_scalar

LARGEST_TEXT = 64 * 2**20
"""Characters."""

_SHORT = 60
_LONGEST_KEY = 1000
"""Characters; YAML ends the search for a key's colon after 1024."""

_PLAIN = re.compile(
    r"[A-Za-z0-9_./$(\\~+^;<=-][^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]*\Z"
)
_UNSAFE = re.compile(r": |:$| #|^[-?:] |^-+$|^---|^\.\.\.|\s$|^=$|^<<$|^\d{4}-\d")
_WORD = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./-]*\Z")
_BLOCK = re.compile(r"[^\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]+\Z")
_BLANKS_AT_END = re.compile(r"[ \t]$", re.MULTILINE)


def emit_scalar(value: object) -> str:
    """A scalar on one line; text that would be read as something else is quoted."""
    if not isinstance(value, str):
        return "null" if value is None else show_scalar(value)
    return _emit_word(value) if len(value) < _SHORT else _emit_text(value)


def _emit_text(value: str) -> str:
    if _PLAIN.match(value) and not _UNSAFE.search(value) and resolve_plain(value) is TEXT:
        return value
    return _quote(value)


_emit_word = lru_cache(maxsize=4096)(_emit_text)
"""Keys and short values come again and again."""


def _quote(text: str) -> str:
    """Double quotes with escapes that YAML and JSON share; other characters stay readable."""
    quoted = json.dumps(text, ensure_ascii=False)
    return re.sub(
        r"[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]",
        lambda found: f"\\u{ord(found[0]):04x}",
        quoted,
    )


def emit_inline(value: object) -> str:
    """A value in flow style, on one line."""
    match value:
        case dict():
            return "{" + ", ".join(f"{_quote_inline(k)}: {emit_inline(v)}" for k, v in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(emit_inline, value)) + "]"
        case _:
            return _quote_inline(value)


def _quote_inline(value: object) -> str:
    """A scalar in flow style, where more characters mean something; words and paths stay as they are."""
    text = emit_scalar(value)
    return text if not isinstance(value, str) or text != value or _WORD.match(value) else _quote(value)


class TooLargeError(ValueError):
    """The text would be larger than `LARGEST_TEXT`."""


class _Block(NamedTuple):
    """Some lines and the sum of their lengths."""

    lines: list[str]
    size: int


class Emitter:
    """Prints values in block style; what is printed twice at the same depth is laid out once."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], tuple[object, _Block]] = {}

    def emit(self, value: dict[str, object]) -> str:
        """A mapping as a document. Raises TooLargeError: a small source can say a large text often."""
        return "\n".join(self._lay_block(value, 0).lines) + "\n"

    def _lay_block(self, value: object, depth: int) -> _Block:
        """The lines of a non-empty map or list."""
        key = (id(value), depth)
        known = self._known.get(key)
        if known is None:
            block = self._lay_map(value, depth) if isinstance(value, dict) else self._lay_list(value, depth)
            known = self._known[key] = (value, block)
        return known[1]

    def _lay_map(self, value: dict[str, object], depth: int) -> _Block:
        lines: list[str] = []
        margin, size = "  " * depth, 0
        for name, item in value.items():
            key = emit_scalar(name)
            head = f"{margin}{key}:"
            if len(key) > _LONGEST_KEY:
                lines.append(f"{margin}? {key}")
                head, size = f"{margin}:", _add_size(size, len(lines[-1]))
            if isinstance(item, dict | list) and item:
                inner = self._lay_block(item, depth + isinstance(item, dict))
                size = _add_size(size, inner.size + len(head))
                lines.append(head)
                lines.extend(inner.lines)
            else:
                leaf = _lay_leaf(head, item, depth + 1)
                size = _add_size(size, len(leaf[0]) if len(leaf) == 1 else sum(map(len, leaf)))
                lines.extend(leaf)
        return _Block(lines, size)

    def _lay_list(self, value: object, depth: int) -> _Block:
        lines: list[str] = []
        margin, size = "  " * depth, 0
        for item in value if isinstance(value, list) else ():
            if isinstance(item, dict | list) and item:
                inner = self._lay_block(item, depth + 1)
                size = _add_size(size, inner.size)
                lines.append(f"{margin}- {inner.lines[0][len(margin) + 2 :]}")
                lines.extend(inner.lines[1:])
            else:
                leaf = _lay_leaf(f"{margin}-", item, depth + 1)
                size = _add_size(size, sum(map(len, leaf)))
                lines.extend(leaf)
        return _Block(lines, size)


def _add_size(size: int, more: int) -> int:
    """The sum, one more for the end of a line."""
    if size + more >= LARGEST_TEXT:
        raise TooLargeError(f"the text is larger than {LARGEST_TEXT} characters")
    return size + more + 1


def _lay_leaf(head: str, value: object, depth: int) -> tuple[str, ...]:
    """A scalar or an empty container after its key; many lines of text as a literal block."""
    if isinstance(value, dict | list):
        return (f"{head} {'{}' if isinstance(value, dict) else '[]'}",)
    if not isinstance(value, str) or not _fits_block(value):
        return (f"{head} {emit_scalar(value)}",)
    body = value.rstrip("\n")
    ending = len(value) - len(body)
    indicator = "2" if body.startswith(" ") else ""
    chomp = {0: "-", 1: ""}.get(ending, "+")
    lines = [*body.split("\n"), *[""] * (ending - 1)]
    margin = "  " * depth
    return (f"{head} |{indicator}{chomp}", *(margin + line if line else "" for line in lines))


def _fits_block(text: str) -> bool:
    """True for text of several lines that a literal block shows as it is."""
    return (
        "\n" in text.rstrip("\n")
        and not text.startswith("\n")
        and _BLOCK.match(text) is not None
        and not _BLANKS_AT_END.search(text)
    )
