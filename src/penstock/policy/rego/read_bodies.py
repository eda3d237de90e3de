"""Reads bodies: the statements that must all be true."""

from penstock.policy.rego.builtins import find_builtin
from penstock.policy.rego.read_terms import TermReader
from penstock.policy.rego.rename import part_names
from penstock.policy.rego.tree import (
    Body,
    Every,
    Literal,
    Not,
    Scalar,
    Some,
    Statement,
    Term,
    Truth,
    Unify,
    With,
    list_names,
)


class BodyReader(TermReader):
    """Reads bodies and what is in them."""

    def read_body(self, close: str) -> Body:
        """The literals up to a closing sign, which is read too; there is at least one."""
        literals: list[Literal] = []
        while not self.skip(close):
            literals.append(self.read_literal())
            if not self.skip(";") and self.word.text != close and not self.word.first:
                raise self.wrong(f"expected \\n or ; or {close}")
        if not literals:
            raise self.wrong("found empty body")
        return part_names(literals)

    def read_literal(self) -> Literal:
        """A statement, and what is otherwise meanwhile."""
        line = self.word.line
        with self._go_deeper():
            statement = self._read_statement()
        withs = []
        while self.skip("with"):
            withs.append(self._read_with())
        return Literal(statement, tuple(withs), line)

    def _read_statement(self) -> Statement:
        line = self.word.line
        if self.skip("not"):
            return Not(Literal(self._read_statement(), (), line))
        if self.skip("some"):
            return self._read_some()
        if self._is_every():
            return self._read_every()
        left = self.read_member_test()
        if self.skip(":="):
            return Unify(left, self.read_term(), declares=True)
        if self.skip("="):
            return Unify(left, self.read_term(), declares=False)
        return Truth(left)

    def _is_every(self) -> bool:
        return self.word.text == "every" and self.is_keyword()

    def _read_some(self) -> Some:
        names = [self._read_pattern()]
        while self.skip(","):
            names.append(self._read_pattern())
        if not self.skip("in"):
            return Some(tuple(names), None)
        if len(names) > 2:  # noqa: PLR2004 - key and value
            raise self.wrong("some … in takes a value, or a key and a value")
        return Some(tuple(names), self.read_term())

    def _read_every(self) -> Every:
        self.take()
        first = self._read_pattern()
        second = self._read_pattern() if self.skip(",") else None
        self.expect("in")
        collection = self.read_term()
        self.expect("{")
        key, value = (first, second) if second is not None else (None, first)
        return Every(key, value, collection, self.read_body("}"))

    def _read_pattern(self) -> Term:
        """What stands before `in`."""
        return self._read_level(1)

    def _read_with(self) -> With:
        line, path = self.word.line, [self.read_name()]
        while not self.word.apart:
            if self.skip("."):
                path.append(self.read_name())
            elif self.skip("["):
                if self.word.kind not in {"text", "raw"}:
                    raise self.wrong("expected a string")
                path.append(self.take().value)
                self.expect("]")
            else:
                break
        self.expect("as")
        value = self.read_term()
        name = ".".join(list_names(value))
        if find_builtin(name) is not None:
            return With(tuple(path), Scalar(None), line, name)
        return With(tuple(path), value, line)
