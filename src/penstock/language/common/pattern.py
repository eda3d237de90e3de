"""Regular expressions from configs: matched as a whole, in bounded time."""

import re
from functools import lru_cache
from typing import Protocol

LONGEST_MATCH = 0.25
"""Seconds one match may take."""

_SET_OPERATION = re.compile(r"--|&&|~~|\|\|")
_QUOTED = re.compile(r"(?s)\\Q(.*?)(?:\\E|\Z)")
_END = re.compile(r"(?<!\\)((?:\\\\)*)\\z")
_PIECE = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{(?P<least>[0-9]*)(?P<more>,[0-9]*)?\}|.", re.DOTALL)
_SHORT_TEXT = 256
_FEW_REPEATS = 3
_MOST_NODES = 1000
_MOST_DIGITS = 5


class PatternError(ValueError):
    """The pattern is not valid, or a match took too long."""


class SlowPatternError(PatternError):
    """A match took longer than `LONGEST_MATCH`."""


class _Matcher(Protocol):
    def fullmatch(self, text: str, /) -> object: ...


def matches_whole(pattern: str, text: str, seconds: float = LONGEST_MATCH) -> bool:
    """True when the pattern matches the whole text, as Java's `matches` does.

    Raises PatternError for an invalid pattern, and SlowPatternError for one that takes longer than so many
    seconds.
    """
    if pattern in {".*", "^.*$", "^.*", ".*$"} and "\n" not in text:
        return True
    if _is_harmless(pattern) and len(text) <= _SHORT_TEXT and (simple := _compile_simple(pattern)):
        return simple.fullmatch(text) is not None
    return _match_bounded(_translate(pattern), text, seconds)


def _is_harmless(pattern: str) -> bool:
    """True when backtracking cannot explode: no groups and few repetitions.

    Most branch filters are such; they are spared the `regex` library, whose import takes 15 ms.
    """
    return "(" not in pattern and "[[" not in pattern and sum(map(pattern.count, "*+{")) <= _FEW_REPEATS


@lru_cache(maxsize=256)
def _compile_simple(pattern: str) -> _Matcher | None:
    r"""The pattern, or None when Python's own library does not know its syntax (`\p{L}`, `[&&]`)."""
    if _SET_OPERATION.search(pattern):
        return None
    try:
        return re.compile(pattern)
    except (re.error, OverflowError):
        return None


def _translate(pattern: str) -> str:
    r"""Java's and RE2's `\Q…\E` and `\z` in the words of the library used here."""
    quoted = _QUOTED.sub(lambda match: re.escape(match[1]), pattern)
    return _END.sub(r"\1\\Z", quoted)


def _match_bounded(pattern: str, text: str, seconds: float) -> bool:
    import regex

    _check_growth(pattern)
    if seconds <= 0:
        raise SlowPatternError(f"no time is left to match the pattern: {pattern[:80]}")
    try:
        return regex.fullmatch(pattern, text, timeout=seconds) is not None
    except (regex.error, OverflowError, RecursionError) as error:
        raise PatternError(str(error)) from None
    except TimeoutError:
        raise SlowPatternError(f"the pattern takes too long to match: {pattern[:80]}") from None


@lru_cache(maxsize=256)
def _check_growth(pattern: str) -> None:
    """Raises PatternError for a pattern that is huge once its repeated groups are written out.

    The library does write them out: thirty groups inside each other, each twice, would fill the memory.
    """
    sizes, last, repeated = [0], 0, False
    for piece in _PIECE.finditer(pattern):
        sign = piece[0]
        copies = 0 if repeated and sign in {"+", "?"} else _count_copies(piece)
        if sign == "(":
            sizes.append(1)
        elif sign == ")" and len(sizes) > 1:
            last = sizes.pop()
            sizes[-1] += last
        elif copies and last > 1:  # one letter is repeated in place
            sizes[-1] += last * (copies - 1)
            last *= copies
        else:
            last = 1
            sizes[-1] += 1
        repeated = copies > 0
        if sizes[-1] > _MOST_NODES:
            raise PatternError(f"the pattern repeats too much: {pattern[:80]}")


def _count_copies(piece: re.Match[str]) -> int:
    """How often a group is written out before this sign of repetition; 0 for what is none."""
    if piece[0] == "+":
        return 2
    if piece[0] in {"*", "?"}:
        return 1
    if piece["least"] is None or (piece["more"] is None and not piece["least"]):
        return 0
    least = piece["least"] or "0"
    return _MOST_NODES if len(least) > _MOST_DIGITS else max(int(least) + (piece["more"] is not None), 1)


def check_pattern(pattern: str) -> None:
    """Raises PatternError when the pattern is not valid."""
    matches_whole(pattern, "")
