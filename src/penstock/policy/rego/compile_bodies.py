"""Compiles bodies: each statement is a step that goes on with the next for each way in which it is true."""

from collections.abc import Callable
from typing import TypeAlias, assert_never

from penstock.policy.rego.builtins import Builtin, find_builtin
from penstock.policy.rego.calls import make_mock
from penstock.policy.rego.compile_terms import Match, Place, TermCompiler, go_through
from penstock.policy.rego.errors import RegoError
from penstock.policy.rego.names import find_vars
from penstock.policy.rego.run import Context, Env, Fn, RuleSet, Step
from penstock.policy.rego.scope import Scope
from penstock.policy.rego.tree import (
    Body,
    Call,
    Every,
    Literal,
    Not,
    Some,
    Statement,
    Term,
    Truth,
    Unify,
    With,
    list_names,
)
from penstock.policy.rego.values import UNDEFINED, Obj, Value, list_items

Change: TypeAlias = Callable[[Env, Context], Context | None]
"""What `with` makes of a context."""


class BodyCompiler(TermCompiler):
    """Compiles the bodies of one rule."""

    def compile_body(self, body: Body, scope: Scope, bound: set[int], last: Step) -> Step:
        """The way through a body's statements to a last step."""
        ordered = list(scope.order(body, bound))
        for literal, have in reversed(ordered):
            last = self._compile_literal(literal, Place(scope, set(have)), last)
        return last

    def _compile_literal(self, literal: Literal, place: Place, after: Step) -> Step:
        if not literal.withs:
            return self._compile_statement(literal.statement, place, after)
        store = self.frame.take_slot()
        inner = self._compile_statement(
            literal.statement, Place(place.scope, set(place.bound)), _leave(store, after)
        )
        return self._compile_withs(literal.withs, place, store, inner)

    def _compile_withs(self, withs: tuple[With, ...], place: Place, store: int, inner: Step) -> Step:
        changes = [self._compile_change(each, place) for each in withs]

        def step(env: Env) -> bool:
            before = context = env[0]
            for change in changes:
                context = change(env, context)
                if context is None:
                    return False
            env[store] = (before, context)
            env[0] = context
            try:
                return inner(env)
            finally:
                env[0] = before

        return place.chain(step)

    def _compile_change(self, each: With, place: Place) -> Change:
        """The context in which the path is the value, None when there is no value."""
        path = each.path
        known = place.scope.find(path[0]) is None and self.linker.is_global(path[0])
        if known:
            path = (*self.linker.complete(path[0]), *path[1:])
        elif find_builtin(".".join(path)) is not None:
            return self._compile_mock(".".join(path), each, place)
        if path[0] not in {"input", "data"}:
            raise RegoError(
                each.line, f"{'.'.join(path)} cannot be replaced: it is neither data nor a function"
            )
        node = self.linker.find_node(path[1:]) if path[0] == "data" else None
        if node is not None and node.rules is not None and node.rules.kind == "function":
            return self._compile_mock(node.rules, each, place)
        return _replace(path, self.compile(each.value, place), list(node.walk()) if node is not None else [])

    def _compile_mock(self, function: RuleSet | str, each: With, place: Place) -> Change:
        names = list_names(each.value)
        other: RuleSet | Builtin | None = find_builtin(each.builtin)
        if names and place.scope.find(names[0]) is None:
            other = self.linker.find_function(Call(names, (), each.line))
        if other is None:
            return _mock_by(function, self.compile(each.value, place))
        if isinstance(other, RuleSet):
            self.rules.uses.add(other)
        mock = make_mock(other)
        return lambda _env, context: context.mock(function, mock)

    def _compile_statement(self, statement: Statement, place: Place, after: Step) -> Step:
        match statement:
            case Truth(Call() as call) if place.scope.has_output(call):
                return self._compile_output(call, place, after)
            case Truth(term):
                return _check(self.compile(term, place), place, after)
            case Unify(left, right, declares):
                return self._compile_unify(left, right, place, after, declares=declares)
            case Some(names, collection):
                return self._compile_some(names, collection, place, after)
            case Every():
                return self._compile_every(statement, place, after)
            case Not(literal):
                return self._compile_not(literal, place, after)
        assert_never(statement)

    def _compile_unify(self, left: Term, right: Term, place: Place, after: Step, *, declares: bool) -> Step:
        forth = place.scope.list_needs(right) | place.scope.list_pattern_needs(left) <= place.bound
        if not forth and not declares:
            left, right = right, left
        value = self.compile(right, place)
        match_left = self.compile_pattern(left, place)
        return place.chain(_match(value, match_left, after))

    def _compile_output(self, call: Call, place: Place, after: Step) -> Step:
        value = self.compile(Call(call.path, call.args[:-1], call.line), place)
        return place.chain(_match(value, self.compile_pattern(call.args[-1], place), after))

    def _compile_some(
        self, names: tuple[Term, ...], collection: Term | None, place: Place, after: Step
    ) -> Step:
        if collection is None:
            return after
        value = self.compile(collection, place)
        matches = [self.compile_pattern(each, place) for each in names]
        key = matches[0] if len(matches) > 1 else _accept
        return place.chain(go_through(value, key, matches[-1], after))

    def _compile_every(self, every: Every, place: Place, after: Step) -> Step:
        value = self.compile(every.collection, place)
        scope = place.scope.enter(())
        for each in (every.key, every.value):
            for name in _name_vars(each):
                scope.declare(name)
        inner = Place(scope, set(place.bound))
        match_key = self.compile_pattern(every.key, inner) if every.key is not None else _accept
        match_value = self.compile_pattern(every.value, inner)
        body = self.compile_body(every.body, scope.enter(every.body), inner.bound, _stop)

        def each_holds(env: Env, key: Value, found: Value) -> bool:
            return match_key(env, key) and match_value(env, found) and body(env)

        return place.chain(_for_all(value, each_holds, after))

    def _compile_not(self, literal: Literal, place: Place, after: Step) -> Step:
        inner = self._compile_literal(literal, Place(place.scope, set(place.bound)), _stop)
        return lambda env: False if inner(env) else after(env)


def _replace(path: tuple[str, ...], value: Fn, hidden: list[RuleSet]) -> Change:
    def change(env: Env, context: Context) -> Context | None:
        found = value(env)
        return context.replace(path, found, hidden) if found is not UNDEFINED else None

    return change


def _mock_by(function: RuleSet | str, value: Fn) -> Change:
    def change(env: Env, context: Context) -> Context | None:
        found = value(env)
        return context.mock(function, lambda _context, _values: found) if found is not UNDEFINED else None

    return change


def _name_vars(term: Term | None) -> list[str]:
    return [var.name for var in find_vars(term)] if term is not None else []


def _stop(_env: Env) -> bool:
    return True


def _accept(_env: Env, _value: Value) -> bool:
    return True


def _leave(store: int, after: Step) -> Step:
    """Goes on in the context from before a `with`."""

    def leave(env: Env) -> bool:
        before, changed = env[store]
        env[0] = before
        try:
            return after(env)
        finally:
            env[0], env[store] = changed, (before, changed)

    return leave


def _check(value: Fn, place: Place, after: Step) -> Step:
    def step(env: Env) -> bool:
        found = value(env)
        return after(env) if found is not UNDEFINED and found is not False else False

    return place.chain(step)


def _match(value: Fn, match_value: Match, after: Step) -> Step:
    def step(env: Env) -> bool:
        found = value(env)
        return after(env) if found is not UNDEFINED and match_value(env, found) else False

    return step


def _for_all(value: Fn, holds: Callable[[Env, Value, Value], bool], after: Step) -> Step:
    def step(env: Env) -> bool:
        found = value(env)
        if found is UNDEFINED or type(found) not in {tuple, frozenset, Obj}:
            return False
        return all(holds(env, key, each) for key, each in list_items(found)) and after(env)

    return step
