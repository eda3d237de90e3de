"""The words of an expression, and how an expression can be wrong."""

from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """The kinds of tokens, named as errors name them."""

    AND = "AND"
    OR = "OR"
    NOT = "NOT"
    TRUE = "TRUE"
    FALSE = "FALSE"
    IDENTIFIER = "IDENTIFIER"
    NUMBER = "NUMBER"
    STRING = "STRING"
    PATTERN = "PATTERN"
    EQUAL = "EQUAL_EQUAL"
    NOT_EQUAL = "BANG_EQUAL"
    GREATER = "GREATER"
    GREATER_EQUAL = "GREATER_EQUAL"
    LESS = "LESS"
    LESS_EQUAL = "LESS_EQUAL"
    BUILTIN = "BUILTIN"
    LEFT_PAREN = "LEFT_PAREN"
    RIGHT_PAREN = "RIGHT_PAREN"
    EOF = "EOF"


class Pattern(msgspec.Struct, frozen=True):
    """The value of a literal like `/v[0-9]+/`."""

    text: str


class Token(msgspec.Struct, frozen=True):
    """One word: its kind, how it was written, where (characters from 0), and what a literal means."""

    kind: Kind
    lexeme: str
    position: int
    value: str | int | bool | Pattern | None = None


class ExpressionError(ValueError):
    """An expression cannot be read or evaluated.

    `type` is the vendor's code (`Scanner/…`, `Parser/…`, `Interpreter/…`); `position` counts characters
    from 0; `kind` is that of the token at fault, None while scanning.
    """

    def __init__(self, type_: str, lexeme: str, position: int, kind: Kind | None = None) -> None:
        super().__init__(f"{explain_error(type_)} at '{lexeme}'" if lexeme else explain_error(type_))
        self.type = type_
        self.lexeme = lexeme
        self.position = position
        self.kind = kind


_SENTENCES = {
    "Scanner/INCOMPLETE_EQUALS": "expected a second '='",
    "Scanner/UNTERMINATED_STRING": "a string has no closing quote",
    "Scanner/UNTERMINATED_PATTERN": "a pattern has no closing slash",
    "Scanner/UNEXPECTED_CHARACTER": "unexpected character",
    "Scanner/INVALID_PATTERN": "invalid regular expression",
    "Scanner/INVALID_PATTERN_CHARACTER": "a pattern may hold ASCII and Latin-1 characters only",
    "Scanner/PATTERN_TOO_LONG": "the pattern is too long",
    "Scanner/INVALID_NUMERIC_LITERAL": "the number does not fit into 64 bits",
    "Parser/EXPECTED_EXPRESSION": "expected a value",
    "Parser/UNEXPECTED_ADDITIONAL_INPUT": "expected an operator or the end",
    "Parser/EXPECTED_RIGHT_PAREN": "expected ')'",
    "Parser/UNKNOWN_BUILTIN_FUNCTION": "unknown operator",
    "Parser/TOO_COMPLEX": "the expression is nested too deep",
    "Interpreter/EXPECTED_NUMERIC_OPERAND": "both sides must be integers",
    "Interpreter/EXPECTED_STRING_OPERAND": "both sides must be strings",
    "Interpreter/EXPECTED_PATTERN_OPERAND": "the right side must be a /pattern/",
    "Interpreter/UNKNOWN_VARIABLE": "unknown variable",
}


def explain_error(type_: str) -> str:
    """A sentence fragment for the vendor's error code."""
    return _SENTENCES[type_]
