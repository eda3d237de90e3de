"""Evaluates rules that were compiled: each once for an input, as far as it is asked for."""

from collections.abc import Callable
from typing import TypeAlias

from penstock.policy.rego.errors import EvaluationError
from penstock.policy.rego.values import UNDEFINED, Obj, Value, same

Env: TypeAlias = list[Value]
"""The context, the result, then a slot for each name of the rule."""

Fn: TypeAlias = Callable[[Env], Value]
"""The value of a term."""

Step: TypeAlias = Callable[[Env], bool]
"""Goes on for each way in which a statement is true; True when no other is wanted."""


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
        """All members, or keys with values, are in the given collection too."""
        self._steps[0]([context, into, *[UNDEFINED] * (self._size - 2)])


class RuleSet:
    """All rules of one name."""

    def __init__(self, path: tuple[str, ...], kind: str, arity: int) -> None:
        self.path = path
        self.kind = kind
        self.arity = arity
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
            items = Obj()
            for clause in self.clauses:
                clause.collect(context, items)
            return items
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
        self, document: Value, data: Obj, overrides: dict[tuple[str, ...], Value] | None = None
    ) -> None:
        self.input = document
        self.data = data
        self._overrides = overrides or {}
        self._known: dict[RuleSet, Value] = {}

    def find(self, rules: RuleSet) -> Value:
        """The value of the rules."""
        known = self._known.get(rules, self)
        if known is not self:
            return known
        if rules.path in self._overrides:
            return self._overrides[rules.path]
        value = self._known[rules] = rules.evaluate(self)
        return value

    def replace(self, path: tuple[str, ...], value: Value, rules: RuleSet | None) -> "Context":
        """A context in which another value is there, found out about anew."""
        if rules is not None:
            return Context(self.input, self.data, {**self._overrides, rules.path: value})
        if path[0] == "input":
            return Context(_put(self.input, path[1:], value), self.data, self._overrides)
        return Context(self.input, _put(self.data, path[1:], value), self._overrides)


def _put(document: Value, path: tuple[str, ...], value: Value) -> Value:
    """The document with the value at the path."""
    if not path:
        return value
    base = document if isinstance(document, Obj) else Obj()
    changed = Obj(base)
    changed[path[0]] = _put(base.get(path[0], UNDEFINED), path[1:], value)
    return changed
