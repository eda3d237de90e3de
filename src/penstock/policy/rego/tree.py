"""What a Rego module is read as."""

from typing import TypeAlias

import msgspec

from penstock.policy.rego.values import Value


class Scalar(msgspec.Struct, frozen=True):
    """A value as written."""

    value: Value


class Var(msgspec.Struct, frozen=True):
    """A name. That of a wildcard begins with `$`, and is like no other."""

    name: str
    line: int


class Ref(msgspec.Struct, frozen=True):
    """What is found below something by way of keys."""

    head: "Term"
    keys: tuple["Term", ...]
    line: int


class Call(msgspec.Struct, frozen=True):
    """A function's value; operators are functions too."""

    path: tuple[str, ...]
    args: tuple["Term", ...]
    line: int


class Array(msgspec.Struct, frozen=True):
    """An array of terms."""

    items: tuple["Term", ...]


class Members(msgspec.Struct, frozen=True):
    """A set of terms."""

    items: tuple["Term", ...]


class Pairs(msgspec.Struct, frozen=True):
    """An object of terms."""

    items: tuple[tuple["Term", "Term"], ...]


class Comprehension(msgspec.Struct, frozen=True):
    """What is made of each way in which the body is true.

    `kind` is `[]`, `{}`, or `{:}` for an object, which has a `key`.
    """

    kind: str
    key: "Term | None"
    value: "Term"
    body: "Body"
    line: int


Term: TypeAlias = Scalar | Var | Ref | Call | Array | Members | Pairs | Comprehension


class With(msgspec.Struct, frozen=True):
    """What `input`, `data` or a function is at that path while a literal is evaluated."""

    path: tuple[str, ...]
    value: Term
    line: int
    builtin: str = ""  # instead of the value, one of the language's own functions


class Truth(msgspec.Struct, frozen=True):
    """The term is there and not false."""

    term: Term


class Unify(msgspec.Struct, frozen=True):
    """Both are made the same; with `declares` the names on the left are new."""

    left: Term
    right: Term
    declares: bool


class Some(msgspec.Struct, frozen=True):
    """Names that are new, or, when there is a collection, a member of it and perhaps its key."""

    names: tuple[Term, ...]
    collection: Term | None


class Every(msgspec.Struct, frozen=True):
    """The body is true for each member."""

    key: Term | None
    value: Term
    collection: Term
    body: "Body"


class Not(msgspec.Struct, frozen=True):
    """The literal is true in no way."""

    literal: "Literal"


Statement: TypeAlias = Truth | Unify | Some | Every | Not


class Literal(msgspec.Struct, frozen=True):
    """One statement of a body, and what is otherwise meanwhile."""

    statement: Statement
    withs: tuple[With, ...]
    line: int


Body: TypeAlias = tuple[Literal, ...]


class Branch(msgspec.Struct, frozen=True):
    """A value and when it holds."""

    value: Term
    body: Body
    line: int


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule. `kind` is `complete`, `set` (of `key`), `map` (of `key` to value) or `function` (of `args`).

    Sets and maps may be within others: `keys` lead there, from the place that `path` names.

    `branches` are the first and what its `else` say; a `default` holds when no other rule of the name does.
    """

    kind: str
    path: tuple[str, ...]
    branches: tuple[Branch, ...]
    line: int
    key: Term | None = None
    keys: tuple[Term, ...] = ()
    args: tuple[Term, ...] = ()
    default: bool = False


class Import(msgspec.Struct, frozen=True):
    """A path and the name it has in the module."""

    path: tuple[str, ...]
    alias: str
    line: int


class Module(msgspec.Struct, frozen=True, kw_only=True):
    """A module."""

    package: tuple[str, ...]
    imports: tuple[Import, ...]
    rules: tuple[Rule, ...]

    @property
    def is_v1(self) -> bool:
        """Whether it says that it is of version 1 of the language."""
        return any(each.path == ("rego", "v1") for each in self.imports)


def list_names(term: Term) -> tuple[str, ...]:
    """The names of a path that is written out, () for any other term."""
    head = term.head if isinstance(term, Ref) else term
    keys = term.keys if isinstance(term, Ref) else ()
    names = [each.value for each in keys if isinstance(each, Scalar) and isinstance(each.value, str)]
    return (head.name, *names) if isinstance(head, Var) and len(names) == len(keys) else ()
