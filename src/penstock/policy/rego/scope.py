"""Where the values of names are kept while a rule is evaluated, and which statement can be evaluated when."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from penstock.policy.rego.errors import RegoError
from penstock.policy.rego.names import (
    find_comprehensions,
    find_free,
    find_free_of,
    find_vars,
    list_declared,
    list_terms,
)
from penstock.policy.rego.tree import (
    Array,
    Body,
    Call,
    Comprehension,
    Every,
    Literal,
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

FIRST_SLOT = 2
"""Before it are the context and the result."""


class Frame:
    """The slots of one rule, what was read of them, and what a function's arity is."""

    def __init__(self, arity: Callable[[Call], int | None], is_global: Callable[[str], bool]) -> None:
        self.size = FIRST_SLOT
        self.read: set[int] = set()
        self.used_args: set[str] = set()
        self.arity = arity
        self.is_global = is_global
        self.declared: dict[int, tuple[Var, str]] = {}  # names made by `:=` or `some`, and how

    def take_slot(self) -> int:
        """A slot that nothing else has."""
        self.size += 1
        return self.size - 1


class Scope:
    """The names of a body, and those around it."""

    def __init__(self, frame: Frame, parent: "Scope | None" = None) -> None:
        self.frame = frame
        self._parent = parent
        self._slots: dict[str, int] = {}

    def declare(self, name: str) -> int:
        """The slot of a name that is new here."""
        if name not in self._slots:
            self._slots[name] = self.frame.take_slot()
        return self._slots[name]

    def find(self, name: str) -> int | None:
        """The slot of a name, None when it is none of a rule's own."""
        if name in self._slots:
            return self._slots[name]
        return self._parent.find(name) if self._parent is not None else None

    def enter(self, body: Body, extra: Iterable[Term] = ()) -> "Scope":
        """The scope of a body within this one, and of terms beside it."""
        scope = Scope(self.frame, self)
        seen: dict[str, str] = {}
        for literal in body:
            for var in list_declared((literal,)):
                if var.name in seen:
                    raise RegoError(var.line, f"var {var.name} {seen[var.name]} above")
                scope._note_declared(var, literal.statement)
            seen.update((var.name, "referenced") for term in list_terms(literal) for var in find_vars(term))
            how = "assigned" if isinstance(literal.statement, Unify) else "declared"
            seen.update((var.name, how) for var in list_declared((literal,)))
        terms = [*extra, *(term for literal in body for term in list_terms(literal))]
        for var in (var for term in terms for var in find_vars(term)):
            if scope.find(var.name) is None and not self.frame.is_global(var.name):
                scope.declare(var.name)
        return scope

    def _note_declared(self, var: Var, statement: Statement) -> None:
        slot = self.declare(var.name)
        if var.name.startswith("$") or (isinstance(statement, Some) and statement.collection is not None):
            return
        self.frame.declared.setdefault(slot, (var, "declared" if isinstance(statement, Some) else "assigned"))

    def slots_of(self, names: Iterable[str]) -> set[int]:
        """The slots of those names that have one."""
        return {slot for name in names if (slot := self.find(name)) is not None}

    def list_vars(self, term: Term) -> set[int]:
        """The slots of the names in a term, comprehensions left out."""
        return self.slots_of(var.name for var in find_vars(term))

    def list_needs(self, term: Term) -> set[int]:
        """The slots that must have values before the term has one.

        A name that stands alone in brackets needs none: it is each key in turn.
        """
        match term:
            case Var(name):
                return self.slots_of([name])
            case Ref(head, keys):
                needs = self.list_needs(head)
                return needs.union(*(self.list_pattern_needs(key) for key in keys))
            case Comprehension():
                return self.slots_of(find_free_of(term))
            case Call(_, args):
                return set().union(*map(self.list_needs, args))
            case Pairs(items):
                return set().union(*(self.list_needs(each) for pair in items for each in pair))
            case _:
                return set().union(*map(self.list_needs, getattr(term, "items", ())))

    def list_pattern_needs(self, term: Term) -> set[int]:
        """The slots that must have values before something can be compared with the term."""
        match term:
            case Var():
                return set()
            case Array(items):
                return set().union(*map(self.list_pattern_needs, items))
            case Pairs(items):
                return set().union(
                    *(self.list_needs(key) | self.list_pattern_needs(value) for key, value in items)
                )
            case _:
                return self.list_needs(term)

    def is_ready(self, literal: Literal, bound: set[int]) -> bool:
        """Whether the literal can be evaluated when these slots have values."""
        withs = set().union(*(self.list_needs(each.value) for each in literal.withs))
        return withs <= bound and self._is_ready(literal.statement, bound)

    def _is_ready(self, statement: Statement, bound: set[int]) -> bool:
        match statement:
            case Truth(Call() as call) if self.has_output(call):
                needs = set().union(*map(self.list_needs, call.args[:-1]))
                return needs | self.list_pattern_needs(call.args[-1]) <= bound
            case Truth(term):
                return self.list_needs(term) <= bound
            case Unify(left, right, declares):
                forth = self.list_needs(right) | self.list_pattern_needs(left) <= bound
                back = self.list_needs(left) | self.list_pattern_needs(right) <= bound
                return forth or (back and not declares)
            case Some(names, collection):
                terms = [] if collection is None else [collection]
                needs = set().union(*map(self.list_needs, terms), *map(self.list_pattern_needs, names))
                return needs <= bound
            case Every():
                own = {
                    var.name
                    for each in (statement.key, statement.value)
                    if each is not None
                    for var in find_vars(each)
                }
                free = find_free(statement.body) - own
                return self.list_needs(statement.collection) | self.slots_of(free) <= bound
            case Not(literal):
                return self._is_safe(literal, bound)

    def _is_safe(self, literal: Literal, bound: set[int]) -> bool:
        """Whether all names of a literal behind `not` have values; wildcards need none."""
        made = {var.name for var in list_declared((literal,))}
        names = find_free((literal,)) - made
        return self.slots_of(name for name in names if not name.startswith("$")) <= bound

    def has_output(self, call: Call) -> bool:
        """Whether a call has one argument more than the function: its value."""
        arity = self.frame.arity(call)
        return arity is not None and len(call.args) == arity + 1

    def list_outputs(self, literal: Literal) -> set[int]:
        """The slots that have values once the literal is true."""
        statement = literal.statement
        if isinstance(statement, Not | Every) or (
            isinstance(statement, Some) and statement.collection is None
        ):
            return set()
        return set().union(*map(self.list_vars, list_terms(literal)))

    def order(self, body: Body, bound: set[int]) -> Iterator[tuple[Literal, frozenset[int]]]:
        """The literals in an order in which each can be evaluated, with the slots that have values before it.

        Raises RegoError for a name that never has one.
        """
        waiting, have = [each for literal in body for each in split_unify(literal)], set(bound)
        while waiting:
            literal = next((each for each in waiting if self.is_ready(each, have)), None)
            if literal is None:
                raise self._explain(waiting, have)
            waiting.remove(literal)
            yield literal, frozenset(have)
            have |= self.list_outputs(literal)

    def check(self, terms: Iterable[Term], bound: set[int], line: int) -> None:
        """Raises RegoError unless the terms have values when these slots have."""
        for term in terms:
            if self.list_needs(term) - bound:
                raise self._name_unsafe([term], bound, line)

    def _explain(self, waiting: list[Literal], have: set[int]) -> RegoError:
        made = {var.name for var in list_declared(waiting)}
        terms = [term for literal in waiting for term in list_terms(literal)]
        terms.sort(key=lambda term: any(var.name in made for var in find_vars(term)))
        return self._name_unsafe(terms, have, waiting[0].line)

    def _name_unsafe(self, terms: Iterable[Term], have: set[int], line: int) -> RegoError:
        """The error for the first name of the terms that has no value."""
        for term in terms:
            for var in find_vars(term):
                if self.slots_of([var.name]) - have:
                    return RegoError(var.line, f"var {_show(var.name)} is unsafe")
            for each in find_comprehensions(term):
                for name in sorted(find_free_of(each)):
                    if self.slots_of([name]) - have:
                        return RegoError(each.line, f"var {_show(name)} is unsafe")
        return RegoError(line, "a name is unsafe")


def split_unify(literal: Literal) -> Iterator[Literal]:
    """The literal, or for two arrays that are made the same one for each pair of elements."""
    match literal.statement:
        case Unify(Array(left), Array(right), declares) if len(left) == len(right) and not literal.withs:
            for one, other in zip(left, right, strict=True):
                yield from split_unify(Literal(Unify(one, other, declares), (), literal.line))
        case Unify(Pairs(left), Pairs(right), declares) if _has_same_keys(left, right) and not literal.withs:
            others = {repr(key): value for key, value in right}
            for key, value in left:
                yield from split_unify(Literal(Unify(value, others[repr(key)], declares), (), literal.line))
        case _:
            yield literal


def _has_same_keys(left: Sequence[tuple[Term, Term]], right: Sequence[tuple[Term, Term]]) -> bool:
    """Whether two objects have the same keys, all of them written out."""
    written = all(isinstance(key, Scalar) for key, _ in (*left, *right))
    return written and {repr(key) for key, _ in left} == {repr(key) for key, _ in right}


def _show(name: str) -> str:
    return "_" if name.startswith("$") else name
