"""Names that a body makes only further down, with `:=` or `some`: comprehensions before have their own."""

from collections.abc import Iterator, Sequence

import msgspec

from penstock.policy.rego.names import list_declared
from penstock.policy.rego.tree import (
    Array,
    Body,
    Call,
    Comprehension,
    Every,
    Literal,
    Members,
    Not,
    Pairs,
    Ref,
    Scalar,
    Some,
    Statement,
    Term,
    Truth,
    Unify,
    Var,
)

_OWN = "'"
"""What is behind a name that was changed; no name that is written has it."""


def part_names(body: Sequence[Literal]) -> Body:
    """The body, in which a comprehension knows no name that is made only after it."""
    return tuple(_part(body))


def _part(body: Sequence[Literal]) -> Iterator[Literal]:
    later = [{var.name for var in list_declared((each,))} for each in body]
    for at, literal in enumerate(body):
        known = set().union(*later[: at + 1])
        hidden = set().union(*later[at + 1 :]) - known
        yield _Renamer(frozenset(hidden), inside=False).literal(literal) if hidden else literal


class _Renamer:
    """Gives names another name, in comprehensions only or, when it is `inside` of one, everywhere."""

    def __init__(self, names: frozenset[str], *, inside: bool) -> None:
        self._names = names
        self._inside = inside

    def body(self, body: Body) -> Body:
        """The body with other names."""
        return tuple(self.literal(each) for each in body)

    def literal(self, literal: Literal) -> Literal:
        """The literal with other names."""
        withs = tuple(msgspec.structs.replace(each, value=self.term(each.value)) for each in literal.withs)
        return Literal(self.statement(literal.statement), withs, literal.line)

    def statement(self, statement: Statement) -> Statement:
        """The statement with other names."""
        match statement:
            case Truth(term):
                return Truth(self.term(term))
            case Unify(left, right, declares):
                return Unify(self.term(left), self.term(right), declares)
            case Some(names, collection):
                return Some(self.terms(names), self.term(collection) if collection is not None else None)
            case Every(key, value, collection, body):
                named = self.term(key) if key is not None else None
                return Every(named, self.term(value), self.term(collection), self.body(body))
            case Not(literal):
                return Not(self.literal(literal))

    def terms(self, terms: Sequence[Term]) -> tuple[Term, ...]:
        """The terms with other names."""
        return tuple(self.term(each) for each in terms)

    def term(self, term: Term) -> Term:  # noqa: PLR0911 - one for each kind
        """The term with other names."""
        match term:
            case Var(name, line):
                return Var(name + _OWN, line) if self._inside and name in self._names else term
            case Ref(head, keys, line):
                return Ref(self.term(head), self.terms(keys), line)
            case Call(path, args, line):
                return Call(path, self.terms(args), line)
            case Array(items):
                return Array(self.terms(items))
            case Members(items):
                return Members(self.terms(items))
            case Pairs(items):
                return Pairs(tuple((self.term(key), self.term(value)) for key, value in items))
            case Scalar():
                return term
            case Comprehension(kind, key, value, body, line):
                inner = self if self._inside else _Renamer(self._names, inside=True)
                named = inner.term(key) if key is not None else None
                return Comprehension(kind, named, inner.term(value), inner.body(body), line)
