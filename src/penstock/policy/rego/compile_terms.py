"""Compiles terms to closures that give their values.

A term in which a name stands for each key in turn becomes a step as well, which goes through the keys.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from penstock.policy.rego.builtins import find_builtin
from penstock.policy.rego.calls import apply_builtin, apply_rules, check_pattern
from penstock.policy.rego.errors import EvaluationError, RegoError
from penstock.policy.rego.link import Linker, Node
from penstock.policy.rego.run import Env, Fn, RuleSet, Step
from penstock.policy.rego.scope import Frame, Scope
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
from penstock.policy.rego.values import UNDEFINED, Obj, Value, list_items, look_up, same, walk_value

Maker: TypeAlias = Callable[[Step], Step]
"""A step without what comes after it."""

Match: TypeAlias = Callable[[Env, Value], bool]
"""Whether a value fits; names in the pattern have their values then."""


class Place:
    """Where a term stands: its scope, the slots that have values there, and the steps before it."""

    def __init__(self, scope: Scope, bound: set[int]) -> None:
        self.scope = scope
        self.bound = bound
        self.steps: list[Maker] = []

    def chain(self, last: Step) -> Step:
        """The steps, and that one behind them."""
        for maker in reversed(self.steps):
            last = maker(last)
        return last


class TermCompiler:
    """Compiles the terms of one rule; what they refer to is noted in its `uses`."""

    def __init__(self, linker: Linker, rules: RuleSet, frame: Frame) -> None:
        self.linker = linker
        self.rules = rules
        self.frame = frame

    def compile_body(self, body: Body, scope: Scope, bound: set[int], last: Step) -> Step:
        """The way through a body's statements to a last step."""
        raise NotImplementedError

    def compile(self, term: Term, place: Place) -> Fn:  # noqa: PLR0911 - one for each kind
        """The value of the term once the steps before it are done."""
        match term:
            case Scalar(value):
                return lambda _env: value
            case Var() | Ref():
                return self._compile_ref(term, place)
            case Call():
                return self._compile_call(term, place)
            case Array(items):
                return _collect(tuple, [self.compile(each, place) for each in items])
            case Members(items):
                return _collect(frozenset, [self.compile(each, place) for each in items])
            case Pairs(items):
                flat = [self.compile(each, place) for pair in items for each in pair]
                return _collect(_pair, flat)
            case Comprehension():
                return self._compile_comprehension(term, place)

    def compile_pattern(self, term: Term, place: Place) -> Match:
        """What compares a value with the term and gives its names their values."""
        match term:
            case Var(name) if (slot := place.scope.find(name)) is not None and slot not in place.bound:
                place.bound.add(slot)
                if self.frame.declared.get(slot, (term, ""))[1] == "declared":
                    self.frame.read.add(slot)
                return _assign(slot)
            case Array(items):
                return _match_array([self.compile_pattern(each, place) for each in items])
            case Pairs(items):
                keys = [self.compile(key, place) for key, _ in items]
                return _match_object(keys, [self.compile_pattern(value, place) for _, value in items])
            case _:
                pass
        fn = self.compile(term, place)
        return lambda env, value: same(fn(env), value)

    def _compile_ref(self, term: Var | Ref, place: Place) -> Fn:
        head: Term = term if isinstance(term, Var) else term.head
        keys: Sequence[Term] = () if isinstance(term, Var) else term.keys
        slot = place.scope.find(head.name) if isinstance(head, Var) else None
        if slot is not None:
            self.frame.read.add(slot)
            fn = _get_slot(slot)
        elif isinstance(head, Var):
            fn, keys = self._compile_global(head, keys)
        else:
            fn = self.compile(head, place)
        return self._follow(fn, keys, place)

    def _follow(self, fn: Fn, keys: Sequence[Term], place: Place) -> Fn:
        """What is below a value by way of the keys."""
        fixed: list[Value] = []
        for key in keys:
            if isinstance(key, Scalar):
                fixed.append(key.value)
                continue
            fn, fixed = _descend(fn, fixed), []
            free = place.scope.list_vars(key) - place.bound
            if free and isinstance(key, Var | Array | Pairs):
                fn = self._compile_each(fn, key, place)
            else:
                fn = _look_up_by(fn, self.compile(key, place))
        return _descend(fn, fixed)

    def _compile_each(self, fn: Fn, key: Term, place: Place) -> Fn:
        out = self.frame.take_slot()
        match_key = self.compile_pattern(key, place)
        place.steps.append(lambda after: go_through(fn, match_key, _assign(out), after))
        return _get_slot(out)

    def _compile_global(self, head: Var, keys: Sequence[Term]) -> tuple[Fn, Sequence[Term]]:
        """The value that a name outside of the rule stands for, and the keys that are left."""
        path = self.linker.complete(head.name)
        written = [Scalar(name) for name in path[1:]]
        if path[0] == "input":
            return (lambda env: env[0].input), (*written, *keys)
        node, rest, passed = self.linker.root, [*written, *keys], 0
        while passed < len(rest) and node.rules is None:
            key = rest[passed]
            if not isinstance(key, Scalar):
                break
            if key.value not in node.children:
                return (lambda env: env[0].data), rest
            node, passed = node.children[key.value], passed + 1
        if node.rules is not None:
            return self._compile_rules(node.rules, head), rest[passed:]
        place_there = tuple(key.value for key in rest[:passed] if isinstance(key, Scalar))
        return self._compile_tree(node, place_there), rest[passed:]

    def _compile_rules(self, rules: RuleSet, head: Var) -> Fn:
        if rules.kind == "function":
            raise RegoError(head.line, f"{rules.name} is a function: it must be called")
        self.rules.uses.add(rules)
        return lambda env: env[0].find(rules)

    def _compile_tree(self, node: Node, path: tuple[Value, ...]) -> Fn:
        """An object of all rules below a package, and of the data there."""
        self.rules.uses.update(rules for rules in node.walk() if rules.kind != "function")

        def read(env: Env) -> Value:
            known = env[0].data
            for name in path:
                known = look_up(known, name)
            return _read_tree(node, env, known)

        return read

    def _compile_call(self, term: Call, place: Place) -> Fn:
        arity = self.frame.arity(term)
        if arity is not None and len(term.args) != arity:
            raise RegoError(
                term.line, f"{'.'.join(term.path)} takes {arity} argument(s), not {len(term.args)}"
            )
        if term.path == ("print",):  # true, also for what is undefined
            for each in term.args:
                self.compile(each, Place(place.scope, set(place.bound)))
            return lambda _env: True
        args = [self.compile(each, place) for each in term.args]
        if term.path == ("walk",):
            return self._compile_walk(args[0], place)
        function = self.linker.find_function(term)
        if function is not None:
            self.rules.uses.add(function)
            return apply_rules(function, args)
        builtin = find_builtin(".".join(term.path))
        if builtin is None:
            raise RegoError(term.line, f"undefined function {'.'.join(term.path)}")
        check_pattern(term)
        return apply_builtin(".".join(term.path), builtin, args)

    def _compile_walk(self, value: Fn, place: Place) -> Fn:
        """A path and a value: each one within a value in turn."""
        out = self.frame.take_slot()
        place.steps.append(lambda after: _walk_through(value, out, after))
        return _get_slot(out)

    def _compile_comprehension(self, term: Comprehension, place: Place) -> Fn:
        extra = [term.value, *([term.key] if term.key is not None else [])]
        scope = place.scope.enter(term.body, extra)
        store = self.frame.take_slot()
        bound = place.bound.union(*map(scope.list_outputs, term.body))
        inner = Place(scope, bound)
        scope.check(extra, bound, term.line)
        key = self.compile(term.key, inner) if term.key is not None else None
        value = self.compile(term.value, inner)
        written = f"{self.linker.file}:{term.line}"
        last = inner.chain(
            _store_pair(store, key, value, written) if key is not None else _store_value(store, value)
        )
        body = self.compile_body(term.body, scope, set(place.bound), last)
        return _comprehend(term.kind, store, body)


def _get_slot(slot: int) -> Fn:
    return lambda env: env[slot]


def _assign(slot: int) -> Match:
    def assign(env: Env, value: Value) -> bool:
        env[slot] = value
        return True

    return assign


def _descend(fn: Fn, keys: Sequence[Value]) -> Fn:
    if not keys:
        return fn
    if len(keys) == 1:
        only = keys[0]
        return lambda env: look_up(fn(env), only)

    def descend(env: Env) -> Value:
        value = fn(env)
        for key in keys:
            value = look_up(value, key)
        return value

    return descend


def _look_up_by(fn: Fn, key: Fn) -> Fn:
    def find(env: Env) -> Value:
        wanted = key(env)
        return UNDEFINED if wanted is UNDEFINED else look_up(fn(env), wanted)

    return find


def go_through(fn: Fn, match_key: Match, match_value: Match, after: Step) -> Step:
    """The step that takes each key and value that fit."""

    def step(env: Env) -> bool:
        for key, value in list_items(fn(env)):
            if match_key(env, key) and match_value(env, value) and after(env):
                return True
        return False

    return step


def _walk_through(fn: Fn, out: int, after: Step) -> Step:
    def step(env: Env) -> bool:
        found = fn(env)
        if found is UNDEFINED:
            return False
        for pair in walk_value(found):
            env[out] = pair
            if after(env):
                return True
        return False

    return step


def _match_array(matches: Sequence[Match]) -> Match:
    def match(env: Env, value: Value) -> bool:
        if type(value) is not tuple or len(value) != len(matches):
            return False
        return all(each(env, item) for each, item in zip(matches, value, strict=True))

    return match


def _match_object(keys: Sequence[Fn], matches: Sequence[Match]) -> Match:
    def match(env: Env, value: Value) -> bool:
        if type(value) is not Obj or len(value) != len(keys):
            return False
        items = [look_up(value, key(env)) for key in keys]
        return all(
            item is not UNDEFINED and each(env, item) for each, item in zip(matches, items, strict=True)
        )

    return match


def _collect(make: Callable[[list[Value]], Value], fns: Sequence[Fn]) -> Fn:
    def collect(env: Env) -> Value:
        values = [fn(env) for fn in fns]
        return UNDEFINED if UNDEFINED in values else make(values)

    return collect


def _pair(values: list[Value]) -> Obj:
    return Obj(zip(values[::2], values[1::2], strict=True))


def _store_value(store: int, value: Fn) -> Step:
    def keep(env: Env) -> bool:
        found = value(env)
        if found is not UNDEFINED:
            env[store].append(found)
        return False

    return keep


def _store_pair(store: int, key: Fn, value: Fn, place: str) -> Step:
    def keep(env: Env) -> bool:
        name, found = key(env), value(env)
        if name is UNDEFINED or found is UNDEFINED:
            return False
        if not same(env[store].setdefault(name, found), found):
            raise EvaluationError(f"{place}: eval_conflict_error: object keys must be unique")
        return False

    return keep


def _comprehend(kind: str, store: int, body: Step) -> Fn:
    make: Callable[[Value], Value] = {"[]": tuple, "{}": frozenset, "{:}": Obj}[kind]

    def comprehend(env: Env) -> Value:
        env[store] = Obj() if kind == "{:}" else []
        body(env)
        return make(env[store])

    return comprehend


def _read_tree(node: Node, env: Env, known: Value) -> Value:
    found = Obj(known) if type(known) is Obj else Obj()
    for name, child in node.children.items():
        if child.rules is None:
            found[name] = _read_tree(child, env, found.get(name))
        elif child.rules.kind == "function":
            continue
        elif (value := env[0].find(child.rules)) is not UNDEFINED:
            found[name] = value
    return found
