"""Text of an expression to tokens."""

import re
from collections.abc import Iterator

from penstock.language.circleci.expression.token import ExpressionError, Kind, Pattern, Token
from penstock.language.common.pattern import PatternError, check_pattern

LONGEST_PATTERN = 250
LARGEST_INTEGER = 2**63 - 1

_WORDS: dict[str, tuple[Kind, bool | None]] = {
    "and": (Kind.AND, None), "AND": (Kind.AND, None), "or": (Kind.OR, None), "OR": (Kind.OR, None),
    "not": (Kind.NOT, None), "NOT": (Kind.NOT, None),
    "true": (Kind.TRUE, True), "false": (Kind.FALSE, False),
    "starts-with": (Kind.BUILTIN, None), "contains": (Kind.BUILTIN, None), "matches": (Kind.BUILTIN, None),
}  # fmt: skip
_SIGNS = {
    "==": Kind.EQUAL, "!=": Kind.NOT_EQUAL, ">=": Kind.GREATER_EQUAL, "<=": Kind.LESS_EQUAL,
    ">": Kind.GREATER, "<": Kind.LESS, "!": Kind.NOT, "(": Kind.LEFT_PAREN, ")": Kind.RIGHT_PAREN,
}  # fmt: skip
_TOKEN = re.compile(
    r"(?P<blank>\s+)"
    r"|(?P<word>[A-Za-z][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*\??)"
    r"|(?P<number>[0-9]+)"
    r'|(?P<string>"(?:[^"\\]|\\.)*")'
    r"|(?P<pattern>/(?:[^/\\]|\\.)*/)"
    r"|(?P<sign>==|!=|>=|<=|[><!()])",
    re.DOTALL,
)
_ESCAPE = re.compile(r"\\([\"\\])")
_WIDE_ESCAPE = re.compile(r"\\u|\\x\{0*[1-9a-fA-F][0-9a-fA-F]{2,}\}")
_BEYOND_RE2 = re.compile(r"\(\?(?:[=!>]|<[=!])|\\[1-9]")
"""Look-around, atomic groups and back references, which RE2 has not."""


def scan_tokens(text: str) -> tuple[Token, ...]:
    """The tokens, the last of kind EOF. Raises ExpressionError (`Scanner/…`)."""
    return (*_scan_words(text), Token(Kind.EOF, "", len(text)))


def _scan_words(text: str) -> Iterator[Token]:
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise _explain_character(text, position)
        position = match.end()
        if match.lastgroup != "blank":
            yield _make_token(match)


def _make_token(match: re.Match[str]) -> Token:
    lexeme, start = match[0], match.start()
    match match.lastgroup:
        case "word":
            kind, value = _WORDS.get(lexeme, (Kind.IDENTIFIER, None))
            return Token(kind, lexeme, start, value)
        case "number":
            if len(lexeme) > 19 or int(lexeme) > LARGEST_INTEGER:  # noqa: PLR2004 - digits of 2**63
                raise ExpressionError("Scanner/INVALID_NUMERIC_LITERAL", lexeme[0], start)
            return Token(Kind.NUMBER, lexeme, start, int(lexeme))
        case "string":
            return Token(Kind.STRING, lexeme, start, _ESCAPE.sub(r"\1", lexeme[1:-1]))
        case "pattern":
            return Token(Kind.PATTERN, lexeme, start, _check_pattern(lexeme[1:-1], start))
        case _:
            return Token(_SIGNS[lexeme], lexeme, start)


def _explain_character(text: str, position: int) -> ExpressionError:
    """The error for a character that starts no token."""
    match text[position]:
        case "=":
            return ExpressionError(
                "Scanner/INCOMPLETE_EQUALS", text[position + 1 : position + 2], position + 1
            )
        case '"':
            return ExpressionError("Scanner/UNTERMINATED_STRING", '"', position)
        case "/":
            return ExpressionError("Scanner/UNTERMINATED_PATTERN", "/", position)
        case character:
            return ExpressionError("Scanner/UNEXPECTED_CHARACTER", character, position)


def _check_pattern(text: str, start: int) -> Pattern:
    """The pattern, when RE2 would take it."""
    if len(text) > LONGEST_PATTERN:
        raise ExpressionError("Scanner/PATTERN_TOO_LONG", "/", start)
    for index, character in enumerate(text):
        if ord(character) > 0xFF:  # noqa: PLR2004 - the end of Latin-1
            raise ExpressionError("Scanner/INVALID_PATTERN_CHARACTER", character, start + 1 + index)
    if wide := _WIDE_ESCAPE.search(text):
        raise ExpressionError("Scanner/INVALID_PATTERN_CHARACTER", "\\", start + 1 + wide.start())
    pattern = text.replace("\\/", "/")
    try:
        check_pattern(pattern)
    except PatternError:
        raise ExpressionError("Scanner/INVALID_PATTERN", "/", start) from None
    if _BEYOND_RE2.search(pattern):
        raise ExpressionError("Scanner/INVALID_PATTERN", "/", start)
    return Pattern(pattern)
