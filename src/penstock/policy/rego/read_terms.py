"""Reads terms: values, names, what is below them, calls, operators, comprehensions."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

from penstock.policy.rego.errors import RegoError
from penstock.policy.rego.scan import Word
from penstock.policy.rego.tree import (
    Array,
    Body,
    Call,
    Comprehension,
    Members,
    Pairs,
    Ref,
    Scalar,
    Term,
    Var,
)

DEEPEST = 60
"""Levels of brackets and operators."""

KEYWORDS = frozenset({"as", "default", "else", "false", "import", "not", "null", "package", "some", "true",
                      "with", "if", "in", "every"})  # fmt: skip

_OPERATORS = {
    "in": (0, "in"),
    **{sign: (1, sign) for sign in ("==", "!=", "<", "<=", ">", ">=")},
    "|": (2, "or"),
    "&": (3, "and"),
    "+": (4, "plus"),
    "-": (4, "minus"),
    "*": (5, "mul"),
    "/": (5, "div"),
    "%": (5, "rem"),
}
"""How much each binds, and the function it stands for."""

_CONSTANTS = {"true": True, "false": False, "null": None}


class TermReader:
    """Reads terms of a module from its words; raises RegoError at what does not belong there."""

    def __init__(self, words: list[Word]) -> None:
        self._words = words
        self._at = 0
        self._depth = 0
        self._wildcards = 0
        self._pipes = True  # a `|` is an operator, not the bar of a comprehension

    @property
    def word(self) -> Word:
        """The next word."""
        return self._words[self._at]

    def take(self) -> Word:
        """The next word, which is read now."""
        word = self.word
        self._at += 1
        return word

    def skip(self, text: str) -> bool:
        """True when that sign or keyword was next; it is read now."""
        found = self.word.text == text and (self.word.kind == "sign" or self.is_keyword())
        self._at += found
        return found

    def is_keyword(self) -> bool:
        """Whether the next word, a name, may be a keyword: it is none when it begins a path."""
        following = self._words[self._at + 1] if self.word.kind == "name" else None
        return following is not None and (following.text != "." or following.apart)

    def expect(self, text: str) -> None:
        """That sign or keyword is read."""
        if not self.skip(text):
            raise self.wrong(f"expected {text}")

    def wrong(self, what: str = "") -> RegoError:
        """The error that the next word is."""
        found = f"unexpected {self.word.text[:40] or 'end of file'}"
        return RegoError(self.word.line, f"{found}: {what}" if what else found)

    def read_body(self, close: str) -> Body:
        """The literals up to a closing sign, which is read too."""
        raise NotImplementedError

    def read_term(self, *, pipes: bool = True) -> Term:
        """A term; without `pipes` it ends before a `|`."""
        with self._go_deeper():
            before, self._pipes = self._pipes, pipes
            term = self._read_level(0)
            self._pipes = before
        return term

    @contextmanager
    def _go_deeper(self) -> Iterator[None]:
        self._depth += 1
        if self._depth > DEEPEST:
            raise RegoError(self.word.line, f"nested more than {DEEPEST} levels deep")
        yield
        self._depth -= 1

    def _read_level(self, level: int) -> Term:
        left = self._read_reference()
        while True:
            binds, name = _OPERATORS.get(self.word.text, (-1, ""))
            if binds < level or not self._is_operator():
                return left
            line = self.take().line
            left = Call((name,), (left, self._read_level(binds + 1)), line)

    def _is_operator(self) -> bool:
        if self.word.text == "-" and self.word.first:
            return False  # a statement may begin with a negative number
        if self.word.kind == "name":
            return self.is_keyword()
        return self.word.kind == "sign" and (self.word.text != "|" or self._pipes)

    def _read_reference(self) -> Term:
        line = self.word.line
        names: list[str] | None = [self.word.text] if self._is_name() else None
        head = self._read_primary()
        keys: list[Term] = []
        while not self.word.apart:
            if self.skip("."):
                keys.append(Scalar(self.read_name()))
                if names is not None:
                    names.append(str(keys[-1].value) if isinstance(keys[-1], Scalar) else "")
            elif self.skip("["):
                names = None
                keys.append(self.read_term())
                self.expect("]")
            elif self.word.text == "(" and names is not None:
                head, keys, names = self._read_call(names, line), [], None
            else:
                break
        return Ref(head, tuple(keys), line) if keys else head

    def _read_call(self, names: list[str], line: int) -> Call:
        self.expect("(")
        args = tuple(self.read_terms(")"))
        return Call(tuple(names), args, line)

    def read_terms(self, close: str) -> Iterator[Term]:
        """Terms with commas between them, up to a closing sign, which is read too."""
        while not self.skip(close):
            yield self.read_term()
            if not self.skip(","):
                self.expect(close)
                return

    def read_name(self) -> str:
        """A name."""
        if self.word.kind != "name":
            raise self.wrong("expected a name")
        return self.take().text

    def _is_name(self) -> bool:
        return self.word.kind == "name" and (self.word.text not in KEYWORDS or not self.is_keyword())

    def _read_primary(self) -> Term:  # noqa: PLR0911 - one for each kind
        word = self.word
        match word.kind, word.text:
            case "text" | "raw", _:
                return Scalar(self.take().value)
            case "number", _:
                return Scalar(self._read_number(1))
            case "sign", "-":
                self.take()
                return Scalar(self._read_number(-1))
            case "sign", "[":
                return self._read_array()
            case "sign", "{":
                return self._read_braces()
            case "sign", "(":
                return self._read_parentheses()
            case "name", "true" | "false" | "null" if self.is_keyword():
                return Scalar(_CONSTANTS[self.take().text])
            case "name", "set" if self._words[self._at + 1].text == "(":
                self._at += 2
                self.expect(")")
                return Members(())
        if not self._is_name():
            raise self.wrong()
        return self.read_var()

    def read_var(self) -> Var:
        """A name as a term; each `_` is another."""
        word = self.take()
        if word.text != "_":
            return Var(word.text, word.line)
        self._wildcards += 1
        return Var(f"${self._wildcards}", word.line)

    def _read_number(self, sign: int) -> int | float:
        if self.word.kind != "number":
            raise self.wrong("expected a number")
        text = self.take().text
        if len(text) > 400:  # noqa: PLR2004 - longer than any that is meant
            raise RegoError(self.word.line, "a number is too long")
        if not set(text) & set(".eE"):
            return sign * int(text)
        number = float(text)
        if math.isinf(number):
            raise RegoError(self.word.line, "a number is too large")
        return sign * (int(number) if number.is_integer() and abs(number) < 1 << 53 else number)

    def _read_parentheses(self) -> Term:
        self.expect("(")
        term = self.read_member_test()
        self.expect(")")
        return term

    def read_member_test(self) -> Term:
        """A term, or whether a collection has a member under a key: `key, member in collection`."""
        key = self.read_term()
        if not self.skip(","):
            return key
        line, member = self.word.line, self._read_level(1)
        self.expect("in")
        term = Call(("in_3",), (key, member, self._read_level(1)), line)
        while self.skip("in"):
            term = Call(("in",), (term, self._read_level(1)), line)
        return term

    def _read_array(self) -> Term:
        line = self.take().line
        if self.skip("]"):
            return Array(())
        first = self.read_term(pipes=False)
        if self.skip("|"):
            return Comprehension("[]", None, first, self.read_body("]"), line)
        return Array((first, *self._read_more("]")))

    def _read_more(self, close: str) -> list[Term]:
        if self.skip(","):
            return list(self.read_terms(close))
        self.expect(close)
        return []

    def _read_braces(self) -> Term:
        line = self.take().line
        if self.skip("}"):
            return Pairs(())
        first = self.read_term(pipes=False)
        if self.skip("|"):
            return Comprehension("{}", None, first, self.read_body("}"), line)
        if not self.skip(":"):
            return Members((first, *self._read_more("}")))
        value = self.read_term(pipes=False)
        if self.skip("|"):
            return Comprehension("{:}", first, value, self.read_body("}"), line)
        pairs = [(first, value)]
        while not self.skip("}"):
            self.expect(",")
            if self.skip("}"):
                break
            key = self.read_term()
            self.expect(":")
            pairs.append((key, self.read_term()))
        return Pairs(tuple(pairs))
