"""Tokens to a tree: a Pratt parser over one table of binding powers."""

import msgspec

from penstock.language.circleci.expression.scanner import scan_tokens
from penstock.language.circleci.expression.token import ExpressionError, Kind, Pattern, Token

LONGEST_EXPRESSION = 2048
"""Characters (captured from the vendor's compiler)."""

MOST_OPERATORS = 100
"""Levels of nesting, and operators in one chain; keeps evaluation within the interpreter's stack."""


class Literal(msgspec.Struct, frozen=True):
    """A value written in the expression."""

    value: str | int | bool | Pattern


class Variable(msgspec.Struct, frozen=True):
    """A name to look up."""

    token: Token


class Negation(msgspec.Struct, frozen=True):
    """`not x`, `!x`."""

    operand: "Expression"


class Chain(msgspec.Struct, frozen=True):
    """`a and b and …` or `a or b or …`."""

    kind: Kind
    operands: tuple["Expression", ...]


class Comparison(msgspec.Struct, frozen=True):
    """Two operands and one of `== != > >= < <= starts-with contains matches`."""

    operator: Token
    left: "Expression"
    right: "Expression"


Expression = Literal | Variable | Negation | Chain | Comparison

_POWERS = {
    Kind.OR: 1, Kind.AND: 2, Kind.EQUAL: 3, Kind.NOT_EQUAL: 3, Kind.BUILTIN: 3,
    Kind.GREATER: 4, Kind.GREATER_EQUAL: 4, Kind.LESS: 4, Kind.LESS_EQUAL: 4,
}  # fmt: skip
_NOT_POWER = 5
_VALUES = frozenset({Kind.NUMBER, Kind.STRING, Kind.PATTERN, Kind.TRUE, Kind.FALSE})
_OPERAND_STARTS = _VALUES | {Kind.IDENTIFIER, Kind.LEFT_PAREN, Kind.NOT}


def parse_expression(text: str) -> Expression:
    """The tree of an expression. Raises ExpressionError (`Scanner/…`, `Parser/…`)."""
    if len(text) >= LONGEST_EXPRESSION:
        raise ExpressionError("Parser/TOO_COMPLEX", "", 0)
    parser = _Parser(scan_tokens(text))
    tree = parser.parse_operators(0, 0)
    if parser.current.kind is not Kind.EOF:
        raise parser.refuse("Parser/UNEXPECTED_ADDITIONAL_INPUT")
    return tree


class _Parser:
    """A position in the tokens."""

    def __init__(self, tokens: tuple[Token, ...]) -> None:
        self._tokens = tokens
        self._index = 0

    @property
    def current(self) -> Token:
        return self._tokens[self._index]

    def advance(self) -> Token:
        token = self.current
        self._index += 1
        return token

    def refuse(self, type_: str) -> ExpressionError:
        token = self.current
        return ExpressionError(type_, token.lexeme, token.position, token.kind)

    def parse_operators(self, power: int, depth: int) -> Expression:
        """An operand and the operators after it that bind tighter than `power`."""
        left, length = self.parse_operand(depth), 0
        while True:
            self._reject_unknown_operator()
            own = _POWERS.get(self.current.kind, 0)
            if own <= power:
                return left
            operator, length = self.advance(), length + 1
            if depth + length > MOST_OPERATORS and operator.kind not in {Kind.AND, Kind.OR}:
                raise self.refuse("Parser/TOO_COMPLEX")
            left = _join_operands(operator, left, self.parse_operators(own, depth + 1))

    def parse_operand(self, depth: int) -> Expression:
        if depth > MOST_OPERATORS:
            raise self.refuse("Parser/TOO_COMPLEX")
        token = self.current
        if token.kind not in _OPERAND_STARTS:
            raise self.refuse("Parser/EXPECTED_EXPRESSION")
        self.advance()
        if token.kind is Kind.NOT:
            return Negation(self.parse_operators(_NOT_POWER, depth + 1))
        if token.kind is Kind.IDENTIFIER:
            return Variable(token)
        if token.kind is not Kind.LEFT_PAREN:
            assert token.value is not None  # noqa: S101 - the scanner gives every literal a value
            return Literal(token.value)
        inner = self.parse_operators(0, depth + 1)
        if self.current.kind is not Kind.RIGHT_PAREN:
            raise self.refuse("Parser/EXPECTED_RIGHT_PAREN")
        self.advance()
        return inner

    def _reject_unknown_operator(self) -> None:
        """A name between two operands was meant as an operator."""
        if self.current.kind is Kind.IDENTIFIER and self._tokens[self._index + 1].kind in _OPERAND_STARTS:
            raise self.refuse("Parser/UNKNOWN_BUILTIN_FUNCTION")


def _join_operands(operator: Token, left: Expression, right: Expression) -> Expression:
    if operator.kind not in {Kind.AND, Kind.OR}:
        return Comparison(operator, left, right)
    if isinstance(left, Chain) and left.kind is operator.kind:
        return Chain(operator.kind, (*left.operands, right))
    return Chain(operator.kind, (left, right))
