"""Text with `<< >>` in it: references, expressions and Mustache sections, as parts."""

import re
from functools import lru_cache

import msgspec

from penstock.language.circleci.expression.parser import LONGEST_EXPRESSION, Expression, parse_expression
from penstock.language.circleci.expression.token import ExpressionError

MOST_BRACKETS = 10_000
"""Openings in one text."""

_SHORT = 2048

_OPEN = re.compile(r"(\\*)<<")
_REFERENCE = re.compile(r"[A-Za-z][A-Za-z0-9_-]*(?:\.[^\s.<>()\"=!]+)+\??\Z")
_ODD_NAME = re.compile(r"(?:pipeline\.)?parameters\.[^\s.<>()\"=!][^<>()\"=!]*\Z")
"""A parameter whose name no expression could hold, as one with a blank; its value is put in as it is."""

_ROOTS = re.compile(r"\b(?:parameters|pipeline|matrix)\.")


class Reference(msgspec.Struct, frozen=True):
    """`<< parameters.x >>`; `text` is as written, brackets included."""

    name: str
    text: str


class Computed(msgspec.Struct, frozen=True):
    """`<< pipeline.number > 5 >>`; `text` is as written, brackets included."""

    tree: Expression
    text: str


class Section(msgspec.Struct, frozen=True):
    """`<<# x >>…<</ x >>`: parts that count only when the value is truthy, or (`^`) only when not."""

    name: str
    inverted: bool
    parts: tuple["Part", ...]
    text: str


class Faulty(msgspec.Struct, frozen=True):
    """Something between brackets that makes no sense, and why; when `harmless`, it counts as text.

    The vendor's newest compiler refuses brackets that never close in a long text. Its own orbs are full
    of shell scripts with `<<<`, so here that is a warning.
    """

    code: str
    message: str
    text: str
    harmless: bool = False


Part = str | Reference | Computed | Section | Faulty


def parse_template(text: str) -> tuple[Part, ...]:
    r"""The parts of a text. `\<<` is a literal `<<`, and two backslashes before brackets are one.

    Brackets that hold neither a reference nor an expression (a here-document of a shell) are text.
    """
    return _parse_short(text) if len(text) < _SHORT else _Parser(text).parse()


@lru_cache(maxsize=2048)
def _parse_short(text: str) -> tuple[Part, ...]:
    """Texts of commands and jobs come again with every call; long ones are not worth the memory."""
    return _Parser(text).parse()


class _Parser:
    """Walks through a text; open sections wait on a stack."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._parts: list[Part] = []
        self._open: list[tuple[str, bool, str, list[Part]]] = []

    def parse(self) -> tuple[Part, ...]:
        text, position, count = self._text, 0, 0
        while match := _OPEN.search(text, position):
            count += 1
            if count > MOST_BRACKETS:
                message = f"A text holds more than {MOST_BRACKETS} expressions."
                return (Faulty("too-many-expressions", message, "<<"),)
            slashes = len(match[1])
            self._parts.append(text[position : match.start()] + "\\" * (slashes // 2))
            if slashes % 2:
                self._parts.append("<<")
                position = match.end()
            else:
                position = self._parse_brackets(match.end())
        self._parts.append(text[position:])
        while self._open:
            name, _, opening, outer = self._open.pop()
            outer.append(Faulty("open-section", f"The section of {name} has no end.", opening))
            self._parts = outer
        return _join_texts(self._parts)

    def _parse_brackets(self, start: int) -> int:
        """Adds what stands between brackets, or the opening ones as text; the position after it."""
        end = self._text.find(">>", start, start + LONGEST_EXPRESSION + 1)
        if end < 0 and len(self._text) - start >= LONGEST_EXPRESSION:
            message = f"Expressions must be less than {LONGEST_EXPRESSION} characters."
            self._parts.append(Faulty("expression-too-long", message, "<<", harmless=True))
            return start
        content = self._text[start:end] if end >= 0 else "<<"
        alone = self._find_line_end(content, start, end + 2)
        before = self._parts[-1]
        if alone is not None and isinstance(before, str):
            self._parts[-1] = before.rstrip(" \t")
        part = self._parse_content(content.strip(), f"<<{content}>>") if "<<" not in content else None
        if part is True and alone is not None:
            return alone
        if alone is not None:
            self._parts[-1] = before
        if part is None:
            self._parts.append("<<")
            return start
        if not isinstance(part, bool):
            self._parts.append(part)
        return end + 2

    def _find_line_end(self, content: str, start: int, end: int) -> int | None:
        """The start of the next line, for a bound of a section that is alone on its line, else None.

        Such a line vanishes as a whole (the mustache manual: standalone tags). What the vendor does with
        the line break there is not known: no captured output has a section on a line of its own.
        """
        if content.lstrip()[:1] not in {"#", "^", "/"}:
            return None
        text = self._text
        head = text[text.rfind("\n", 0, start) + 1 : start - 2]
        newline = text.find("\n", end)
        tail = text[end:] if newline < 0 else text[end:newline]
        if "\n" not in text or head.strip(" \t") or tail.strip(" \t"):
            return None
        return len(text) if newline < 0 else newline + 1

    def _parse_content(self, content: str, text: str) -> Part | bool | None:
        """A part, True for the bounds of a section, or None for what is no template."""
        if content[:1] in {"#", "^"} and _REFERENCE.match(content[1:].strip()):
            self._open.append((content[1:].strip(), content[0] == "^", text, self._parts))
            self._parts = []
            return True
        if content[:1] == "/" and self._open and content[1:].strip() == self._open[-1][0]:
            name, inverted, opening, outer = self._open.pop()
            outer.append(Section(name, inverted, _join_texts(self._parts), opening))
            self._parts = outer
            return True
        if _REFERENCE.match(content):
            return Reference(content, text)
        return _parse_computed(content, text)


def _join_texts(parts: list[Part]) -> tuple[Part, ...]:
    """The parts with neighbouring texts made one, and without empty ones."""
    joined: list[Part] = []
    texts: list[str] = []
    for part in [*parts, None]:
        if isinstance(part, str):
            texts.append(part)
            continue
        if text := "".join(texts):
            joined.append(text)
        texts.clear()
        if part is not None:
            joined.append(part)
    return tuple(joined)


def _parse_computed(content: str, text: str) -> Part | None:
    if content.isidentifier():
        return None
    try:
        tree = parse_expression(content)
    except ExpressionError as error:
        if _ODD_NAME.match(content):
            return Reference(content, text)
        if not _ROOTS.search(content):
            return None
        return Faulty("invalid-expression", f"Invalid expression '{content}': {error}", text)
    return Computed(tree, text)
