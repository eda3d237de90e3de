"""Evaluates rules that were compiled: each once for an input, as far as it is asked for."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from penstock.policy.rego.errors import EvaluationError
from penstock.policy.rego.values import UNDEFINED, Obj, Value, look_up, same

Env: TypeAlias = list[Value]
"""The context, the result, then a slot for each name of the rule."""

Fn: TypeAlias = Callable[[Env], Value]
"""The value of a term."""

Step: TypeAlias = Callable[[Env], bool]
"""Goes on for each way in which a statement is true; True when no other is wanted."""

Mock: TypeAlias = Callable[["Context", tuple[Value, ...]], Value]
"""What a function is meanwhile: its value for arguments."""


class Clause:
    """A rule with its `else`, compiled: the slots it needs, and for each branch the way to its values.

    `place` is where it is written, file and line.
    """

    def __init__(self, place: str, size: int, steps: tuple[Step, ...]) -> None:
        self.place = place
        self._size = size
        self._steps = steps

    def find(self, context: "Context", args: tuple[Value, ...] = ()) -> Value:
        """The value of the first branch that holds."""
        for step in self._steps:
            env = [context, UNDEFINED, *args, *[UNDEFINED] * (self._size - len(args) - 2)]
            step(env)
            if env[1] is not UNDEFINED:
                return env[1]
        return UNDEFINED

    def collect(self, context: "Context", into: Value) -> None:
        """All members, or keys with values, of the first branch that has some are in the collection too."""
        for step in self._steps:
            before = len(into)
            step([context, into, *[UNDEFINED] * (self._size - 2)])
            if len(into) != before:
                break


class Growth:
    """An object that rules make, with objects and sets in it."""

    def __init__(self) -> None:
        self._added = 0
        self._items: dict[Value, Value] = {}

    def __len__(self) -> int:
        return self._added

    def add_value(self, path: list[Value], value: Value) -> bool:
        """The value is at the path; False when something else is there."""
        items = self._find(path[:-1])
        if items is None or not same(items.setdefault(path[-1], value), value):
            return False
        self._added += 1
        return True

    def add_member(self, path: list[Value], member: Value) -> bool:
        """The set at the path has the member; False when something else is there."""
        items = self._find(path[:-1])
        found = items.setdefault(path[-1], set()) if items is not None else None
        if type(found) is not set:
            return False
        found.add(member)
        self._added += 1
        return True

    def finish(self) -> Obj:
        """The object."""
        return Obj((key, _settle(value)) for key, value in self._items.items())

    def _find(self, path: list[Value]) -> dict[Value, Value] | None:
        items = self._items
        for key in path:
            items = items.setdefault(key, {})
            if type(items) is not dict:
                return None
        return items


def _settle(value: Value) -> Value:
    """What was open to change, as a value."""
    if type(value) is set:
        return frozenset(value)
    return Obj((key, _settle(each)) for key, each in value.items()) if type(value) is dict else value


class RuleSet:
    """All rules of one name."""

    def __init__(self, path: tuple[str, ...], kind: str, arity: int, *, module: str, line: int) -> None:
        self.path = path
        self.kind = kind
        self.arity = arity
        self.module = module  # of the first rule
        self.line = line
        self.clauses: list[Clause] = []
        self.default: Clause | None = None
        self.uses: set[RuleSet] = set()

    @property
    def name(self) -> str:
        """The path with dots."""
        return ".".join(self.path)

    def evaluate(self, context: "Context") -> Value:
        """The value of the rules."""
        if self.kind == "set":
            members: set[Value] = set()
            for clause in self.clauses:
                clause.collect(context, members)
            return frozenset(members)
        if self.kind == "map":
            items = Growth()
            for clause in self.clauses:
                clause.collect(context, items)
            return items.finish()
        return self.call(context, ())

    def call(self, context: "Context", args: tuple[Value, ...]) -> Value:
        """The value for these arguments, on which all rules of the name must agree."""
        found: Value = UNDEFINED
        for clause in self.clauses:
            value = clause.find(context, args)
            if value is UNDEFINED:
                continue
            if found is not UNDEFINED and not same(found, value):
                raise EvaluationError(word_conflict(self, clause.place))
            found = value
        if found is UNDEFINED and self.default is not None:
            return self.default.find(context, args)
        return found


def word_conflict(rules: RuleSet, place: str) -> str:
    """What is wrong with rules that say more than one thing."""
    what = {
        "function": "functions must not produce multiple outputs for same inputs",
        "map": "object keys must be unique",
    }
    told = what.get(rules.kind, "complete rules must not produce multiple outputs")
    return f"{place}: eval_conflict_error: {told}"


class Context:
    """An input and the data, and what was found out about them."""

    def __init__(
        self,
        document: Value,
        data: Obj,
        overrides: Mapping[RuleSet, Value] | None = None,
        mocks: Mapping[RuleSet | str, Mock] | None = None,
    ) -> None:
        self.input = document
        self.data = data
        self.mocks = mocks or {}
        self.moment = time.time_ns()
        self._overrides = overrides or {}
        self._known: dict[RuleSet, Value] = dict(self._overrides)

    def find(self, rules: RuleSet) -> Value:
        """The value of the rules."""
        known = self._known.get(rules, self)
        if known is not self:
            return known
        value = self._known[rules] = rules.evaluate(self)
        return value

    def replace(self, path: tuple[str, ...], value: Value, hidden: Iterable[RuleSet]) -> "Context":
        """A context in which another value is at the path, found out about anew; `hidden` are rules there."""
        document, data = self.input, self.data
        if path[0] == "input":
            document = _put(document, path[1:], value)
        else:
            data = _put(data, path[1:], value)
        there = {rules: _read_at(value, rules.path[len(path) :]) for rules in hidden}
        return self._copy(document, data, {**self._overrides, **there}, self.mocks)

    def mock(self, function: RuleSet | str, mock: Mock) -> "Context":
        """A context in which a function, a builtin by its name, is another."""
        return self._copy(self.input, self.data, self._overrides, {**self.mocks, function: mock})

    def unmock(self) -> "Context":
        """A context in which all functions are themselves."""
        return self._copy(self.input, self.data, self._overrides, {})

    def _copy(
        self,
        document: Value,
        data: Value,
        overrides: Mapping[RuleSet, Value],
        mocks: Mapping[RuleSet | str, Mock],
    ) -> "Context":
        copy = Context(document, data, overrides, mocks)
        copy.moment = self.moment
        return copy


def _read_at(value: Value, path: tuple[str, ...]) -> Value:
    for name in path:
        value = look_up(value, name)
    return value


def _put(document: Value, path: tuple[str, ...], value: Value) -> Value:
    """The document with the value at the path."""
    if not path:
        return value
    base = document if isinstance(document, Obj) else Obj()
    changed = Obj(base)
    changed[path[0]] = _put(base.get(path[0], UNDEFINED), path[1:], value)
    return changed
