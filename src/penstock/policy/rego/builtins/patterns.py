"""Regular expressions and globs, in the syntax of RE2 and in bounded time."""

import re
from functools import lru_cache
from typing import Any

import regex

from penstock.policy.rego.builtins.strings import check_text
from penstock.policy.rego.builtins.table import make_table
from penstock.policy.rego.errors import BuiltinError, EvaluationError
from penstock.policy.rego.values import Value

LONGEST_MATCH = 0.5
"""Seconds one use of a pattern may take."""

_LONGEST_PATTERN = 10_000
_FOREIGN = re.compile(r"\(\?(?:[=!>|#]|<[=!])|\\[1-9](?![0-7]{2})|[*+?}]\+")
"""What RE2 does not have: looking around, references back, possession."""

_ESCAPE = r"\\Q.*?(?:\\E|$)|\\[pP](?:\{\^?\w+\}|[A-Z])|\\x\{[0-9a-fA-F]{1,6}\}|\\."
_PART = re.compile(_ESCAPE + r"|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]|\$", re.DOTALL)
_INNER = re.compile(_ESCAPE + r"|\[:\w+:\]", re.DOTALL)
_MULTILINE = re.compile(r"\(\?[a-zA-Z]*m")
_SETS = {"d": "0-9", "s": r"\t\n\f\r ", "w": "0-9A-Za-z_"}
_NAMED = {
    "[:alpha:]": "A-Za-z",
    "[:digit:]": "0-9",
    "[:alnum:]": "0-9A-Za-z",
    "[:upper:]": "A-Z",
    "[:lower:]": "a-z",
    "[:space:]": r"\t\n\v\f\r ",
    "[:blank:]": r"\t ",
    "[:punct:]": r"!-/:-@\[-`{-~",
    "[:xdigit:]": "0-9A-Fa-f",
    "[:word:]": "0-9A-Za-z_",
}
"""Digits, blanks and letters are those of ASCII in RE2, and all there are in the library."""


@lru_cache(maxsize=512)
def _compile(pattern: str) -> Any:  # noqa: ANN401 - of a library without types
    if len(pattern) > _LONGEST_PATTERN or _FOREIGN.search(_PART.sub(_skip_part, pattern)):
        raise BuiltinError
    lines = _MULTILINE.search(pattern) is not None
    try:
        return regex.compile(_PART.sub(lambda match: _translate(match.group(), lines=lines), pattern))
    except (regex.error, OverflowError, RecursionError, ValueError):
        raise BuiltinError from None


def _skip_part(match: re.Match[str]) -> str:
    found = match.group()
    return found if found[0] == "\\" and found[1:2].isdigit() else "_"


def _translate(found: str, *, lines: bool) -> str:
    r"""A part of a pattern in the library's words: without `(?m)`, `$` is the very end, as `\z` is."""
    if found == "$":
        return "$" if lines else r"\Z"
    if found[0] == "[":
        return "[" + _INNER.sub(lambda match: _translate_inner(match.group()), found[1:-1]) + "]"
    if found == r"\z":
        return r"\Z"
    if found[1] in _SETS or found[1].lower() in _SETS:
        return f"[{'^' if found[1].isupper() else ''}{_SETS[found[1].lower()]}]"
    return _translate_escape(found)


def _translate_inner(found: str) -> str:
    if found[0] == "[":
        if found not in _NAMED:
            raise ValueError(found)
        return _NAMED[found]
    return _SETS.get(found[1], "") or _translate_escape(found)


def _translate_escape(found: str) -> str:
    if found.startswith("\\Q"):
        return re.escape(found[2:].removesuffix("\\E"))
    if found.startswith("\\x{"):
        return re.escape(chr(int(found[3:-1], 16)))
    return f"\\{found[1]}{{{found[2]}}}" if found[1] in "pP" and len(found) == 3 else found  # noqa: PLR2004 - `\pL`


def _use(pattern: Value, method: str, *arguments: object, shown: str = "") -> Any:  # noqa: ANN401 - the same
    try:
        return getattr(_compile(check_text(pattern)), method)(*arguments, timeout=LONGEST_MATCH)
    except TimeoutError:
        raise EvaluationError(f"the pattern takes too long to match: {(shown or pattern)[:80]}") from None


def _matches(pattern: Value, text: Value) -> Value:
    return _use(pattern, "search", check_text(text)) is not None


def is_pattern(pattern: Value) -> bool:
    """Whether the text is a regular expression of RE2's kind."""
    try:
        _compile(check_text(pattern))
    except BuiltinError:
        return False
    return True


def _bound(count: Value) -> int | None:
    return None if count < 0 else int(count)


def _find(pattern: Value, text: Value, count: Value) -> Value:
    found = _use(pattern, "finditer", check_text(text))
    return tuple([match.group() for match in _within(found)][: _bound(count)])


def _find_groups(pattern: Value, text: Value, count: Value) -> Value:
    found = _use(pattern, "finditer", check_text(text))
    groups = [(match.group(), *(each or "" for each in match.groups())) for match in _within(found)]
    return tuple(groups[: _bound(count)])


def _within(found: Any) -> Any:  # noqa: ANN401 - the same
    try:
        yield from found
    except TimeoutError:
        raise EvaluationError("a pattern takes too long to match") from None


def _split(pattern: Value, text: Value) -> Value:
    parts, at = [], 0
    for match in _within(_use(pattern, "finditer", check_text(text))):
        parts.append(text[at : match.start()])
        at = match.end()
    return (*parts, text[at:])


_GROUP = re.compile(r"\$(\$|\{\w+\}|\w+)")


def _replace(text: Value, pattern: Value, by: Value) -> Value:
    def fill(match: Any) -> str:  # noqa: ANN401 - the same
        return _GROUP.sub(lambda group: _find_group(match, group[1]), check_text(by))

    return _use(pattern, "sub", fill, check_text(text))


def _find_group(match: Any, name: str) -> str:  # noqa: ANN401 - the same
    if name == "$":
        return "$"
    name = name.strip("{}")
    try:
        return match.group(int(name) if name.isdigit() else name) or ""
    except IndexError:
        return ""


def _match_glob(pattern: Value, delimiters: Value, text: Value) -> Value:
    marks = () if delimiters is None else (tuple(delimiters) or (".",))
    other = "[^" + "".join(re.escape(each) for each in marks) + "]" if marks else "."
    written = _translate_glob(check_text(pattern), other)
    return _use(written, "search", check_text(text), shown=pattern) is not None


def _translate_glob(pattern: str, other: str) -> str:
    """The pattern as a regular expression in which `other` stands for one sign that is no delimiter."""
    parts, depth = ["(?s)^"], 0
    for token in re.findall(r"\*\*|\\.|\[!?[^\]]+\]|.", pattern, re.DOTALL):
        match token:
            case "**":
                parts.append(".*")
            case "*":
                parts.append(f"{other}*")
            case "?":
                parts.append(other)
            case "{":
                parts.append("(?:")
                depth += 1
            case "}" if depth:
                parts.append(")")
                depth -= 1
            case "," if depth:
                parts.append("|")
            case _ if len(token) > 2 and token[0] == "[":  # noqa: PLR2004 - brackets with something in them
                parts.append("[^" + token[2:] if token[1] == "!" else token)
            case _:
                parts.append(re.escape(token[-1]))
    return "".join(parts) + "$"


TABLE = make_table({
    "regex.match": _matches,
    "re_match": _matches,
    "regex.is_valid": is_pattern,
    "regex.find_n": _find,
    "regex.find_all_string_submatch_n": _find_groups,
    "regex.split": _split,
    "regex.replace": _replace,
    "glob.match": _match_glob,
    "glob.quote_meta": lambda text: re.sub(r"([*?\\\[\]{}])", r"\\\1", check_text(text)),
})  # fmt: skip
