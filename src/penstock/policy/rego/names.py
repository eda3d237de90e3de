"""Which names stand in terms and bodies, and which of them a body makes."""

from collections.abc import Iterable, Iterator

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
    Rule,
    Scalar,
    Some,
    Statement,
    Term,
    Truth,
    Unify,
    Var,
)


def list_parts(term: Term) -> tuple[Term, ...]:
    """The terms right below a term; none for a comprehension, which is a world of its own."""
    match term:
        case Ref(head, keys):
            return (head, *keys)
        case Call(_, args):
            return args
        case Array(items) | Members(items):
            return items
        case Pairs(items):
            return tuple(each for pair in items for each in pair)
        case Scalar() | Var() | Comprehension():
            return ()


def find_vars(term: Term) -> Iterator[Var]:
    """The names in a term, those in comprehensions left out."""
    if isinstance(term, Var):
        yield term
    for part in list_parts(term):
        yield from find_vars(part)


def find_comprehensions(term: Term) -> Iterator[Comprehension]:
    """The comprehensions in a term, those within others left out."""
    if isinstance(term, Comprehension):
        yield term
    for part in list_parts(term):
        yield from find_comprehensions(part)


def list_terms(literal: Literal) -> tuple[Term, ...]:
    """The terms of a literal; of an `every` only the collection."""
    return (*_list_terms(literal.statement), *(each.value for each in literal.withs))


def _list_terms(statement: Statement) -> tuple[Term, ...]:
    match statement:
        case Truth(term):
            return (term,)
        case Unify(left, right):
            return (left, right)
        case Some(names, collection):
            return names if collection is None else (*names, collection)
        case Every():
            return (statement.collection,)
        case Not(literal):
            return list_terms(literal)


def list_declared(body: Iterable[Literal]) -> Iterator[Var]:
    """The names that a body makes by `:=` or `some`."""
    for literal in body:
        match literal.statement:
            case Unify(left, _, True):
                yield from _list_pattern(left)
            case Some(names, _):
                for each in names:
                    yield from _list_pattern(each)
            case Not(inner):
                yield from list_declared((inner,))
            case _:
                pass


def _list_pattern(term: Term) -> Iterator[Var]:
    """The names to which a pattern gives values."""
    match term:
        case Var():
            yield term
        case Array(items):
            for each in items:
                yield from _list_pattern(each)
        case Pairs(items):
            for _, each in items:
                yield from _list_pattern(each)
        case _:
            pass


def find_free(body: Body, extra: Iterable[Term] = ()) -> set[str]:
    """The names that a body and terms beside it use and do not make, however deep."""
    terms = [*extra, *(term for literal in body for term in list_terms(literal))]
    used = {var.name for term in terms for var in find_vars(term)}
    for term in terms:
        for inner in find_comprehensions(term):
            used |= find_free_of(inner)
    for every in find_everies(body):
        made = {var.name for each in (every.key, every.value) if each is not None for var in find_vars(each)}
        used |= find_free(every.body) - made
    return used - {var.name for var in list_declared(body)}


def find_free_of(inner: Comprehension) -> set[str]:
    """The names that a comprehension uses and does not make."""
    return find_free(inner.body, [inner.value, *([inner.key] if inner.key is not None else [])])


def find_everies(body: Body) -> Iterator[Every]:
    """The `every` of a body."""
    for literal in body:
        statement = literal.statement
        while isinstance(statement, Not):
            statement = statement.literal.statement
        if isinstance(statement, Every):
            yield statement


def walk_bodies(rule: Rule) -> Iterator[Body]:
    """All bodies of a rule, however deep."""
    for branch in rule.branches:
        yield from _walk_body(branch.body)
    heads = [*rule.args, *rule.keys, *([rule.key] if rule.key is not None else [])]
    for term in (*heads, *(branch.value for branch in rule.branches)):
        yield from _walk_inner(term)


def _walk_body(body: Body) -> Iterator[Body]:
    yield body
    for literal in body:
        for term in list_terms(literal):
            yield from _walk_inner(term)
    for every in find_everies(body):
        yield from _walk_body(every.body)


def _walk_inner(term: Term) -> Iterator[Body]:
    for inner in find_comprehensions(term):
        yield from _walk_body(inner.body)
        yield from _walk_inner(inner.value)
        if inner.key is not None:
            yield from _walk_inner(inner.key)


def walk_terms(rule: Rule) -> Iterator[Term]:
    """All terms of a rule, however deep."""
    heads = [*rule.args, *rule.keys, *([rule.key] if rule.key is not None else [])]
    for term in (*heads, *(branch.value for branch in rule.branches)):
        yield from _walk_term(term)
    for branch in rule.branches:
        yield from _walk_terms_of(branch.body)


def _walk_terms_of(body: Body) -> Iterator[Term]:
    for literal in body:
        for term in list_terms(literal):
            yield from _walk_term(term)
    for every in find_everies(body):
        yield from _walk_terms_of(every.body)


def _walk_term(term: Term) -> Iterator[Term]:
    yield term
    for part in list_parts(term):
        yield from _walk_term(part)
    if isinstance(term, Comprehension):
        for part in (term.value, *([term.key] if term.key is not None else [])):
            yield from _walk_term(part)
        yield from _walk_terms_of(term.body)
