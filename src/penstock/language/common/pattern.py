"""Regular expressions from configs: matched as a whole, in bounded time."""

import re
from functools import lru_cache
from typing import Protocol

LONGEST_MATCH = 0.25
"""Seconds one match may take."""

_SET_OPERATION = re.compile(r"--|&&|~~|\|\|")
_QUOTED = re.compile(r"(?s)\\Q(.*?)(?:\\E|\Z)")
_END = re.compile(r"(?<!\\)((?:\\\\)*)\\z")
_SHORT_TEXT = 256
_FEW_REPEATS = 3


class PatternError(ValueError):
    """The pattern is not valid, or a match took too long."""


class SlowPatternError(PatternError):
    """A match took longer than `LONGEST_MATCH`."""


class _Matcher(Protocol):
    def fullmatch(self, text: str, /) -> object: ...


def matches_whole(pattern: str, text: str) -> bool:
    """True when the pattern matches the whole text, as Java's `matches` does.

    Raises PatternError for an invalid pattern, and for one that takes longer than `LONGEST_MATCH`.
    """
    if pattern in {".*", "^.*$", "^.*", ".*$"} and "\n" not in text:
        return True
    if _is_harmless(pattern) and len(text) <= _SHORT_TEXT and (simple := _compile_simple(pattern)):
        return simple.fullmatch(text) is not None
    return _match_bounded(_translate(pattern), text)


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


def _match_bounded(pattern: str, text: str) -> bool:
    import regex

    try:
        return regex.fullmatch(pattern, text, timeout=LONGEST_MATCH) is not None
    except (regex.error, OverflowError, RecursionError) as error:
        raise PatternError(str(error)) from None
    except TimeoutError:
        raise SlowPatternError(f"the pattern takes too long to match: {pattern[:80]}") from None


def check_pattern(pattern: str) -> None:
    """Raises PatternError when the pattern is not valid."""
    matches_whole(pattern, "")
