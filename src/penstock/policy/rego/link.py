"""What the names outside of a rule stand for: other rules, imports, the input, the data."""

from collections.abc import Iterator, Mapping
from typing import TypeAlias

import msgspec

from penstock.policy.rego.builtins import find_builtin
from penstock.policy.rego.errors import FaultError, RegoError
from penstock.policy.rego.run import RuleSet
from penstock.policy.rego.tree import Call, Module, Rule, Scalar


class Node:
    """A place below `data`: the rules of that name, or what is below."""

    def __init__(self) -> None:
        self.children: dict[str, Node] = {}
        self.rules: RuleSet | None = None

    def walk(self) -> Iterator[RuleSet]:
        """All rules from here on down."""
        if self.rules is not None:
            yield self.rules
        for child in self.children.values():
            yield from child.walk()


Placed: TypeAlias = dict[str, list[tuple[RuleSet, Rule]]]
"""By module, its rules with the sets of rules they belong to."""


def plant_tree(modules: Mapping[str, Module], faults: list[FaultError]) -> tuple[Node, Placed]:
    """The places of all rules of the modules; those that do not go together are added to `faults`."""
    root, placed = Node(), dict[str, list[tuple[RuleSet, Rule]]]()
    holders = {
        (*module.package, *rule.path)
        for module in modules.values()
        for rule in module.rules
        if rule.kind == "map" or rule.keys
    }
    for name, module in modules.items():
        placed[name] = []
        for rule in module.rules:
            try:
                placed[name].append(_plant(root, holders, (name, module), rule))
            except RegoError as error:
                faults.append(FaultError(name, error))
    return root, placed


def _plant(
    root: Node, holders: set[tuple[str, ...]], module: tuple[str, Module], rule: Rule
) -> tuple[RuleSet, Rule]:
    node, path = root, (*module[1].package, *rule.path)
    size = next((at for at in range(1, len(path)) if path[:at] in holders), len(path))
    shown = f"data.{'.'.join(path)}"
    if size < len(path) or rule.keys:
        rule = _move_into(rule, path[size:], shown)
    for name in path[:size]:
        if node.rules is not None:
            raise RegoError(rule.line, f"rule {shown} conflicts with another rule")
        node = node.children.setdefault(name, Node())
    if node.children:
        raise RegoError(rule.line, f"rule {shown} conflicts with a package")
    if node.rules is None:
        node.rules = RuleSet(
            ("data", *path[:size]), _kind_of(rule), len(rule.args), module=module[0], line=rule.line
        )
    if node.rules.kind != _kind_of(rule) or node.rules.arity != len(rule.args):
        raise RegoError(rule.line, f"conflicting rules {shown} found")
    return node.rules, rule


def _kind_of(rule: Rule) -> str:
    """What all rules of a place are together: a set within something makes part of an object."""
    return "map" if rule.keys else rule.kind


def _move_into(rule: Rule, steps: tuple[str, ...], shown: str) -> Rule:
    """The rule as one of the object that other rules make above it."""
    keys = [Scalar(step) for step in steps]
    if rule.kind == "function" or rule.default:
        raise RegoError(rule.line, f"rule {shown} conflicts with another rule")
    if rule.kind != "complete":
        return msgspec.structs.replace(rule, keys=(*keys, *rule.keys))
    return msgspec.structs.replace(rule, kind="map", keys=tuple(keys[:-1]), key=keys[-1])


class Linker:
    """Finds what names of a module stand for; `used` are the imports that were."""

    def __init__(self, root: Node, module: Module, file: str) -> None:
        self.root = root
        self.file = file
        self._package = module.package
        self._imports = {
            each.alias: each.path for each in module.imports if each.path[0] in {"data", "input"}
        }
        self._home = root
        for name in module.package:
            self._home = self._home.children.setdefault(name, Node())
        self.used: set[str] = set()

    def is_global(self, name: str) -> bool:
        """Whether a name stands for something outside of the rule."""
        return name in {"input", "data"} or name in self._home.children or name in self._imports

    def complete(self, name: str) -> tuple[str, ...]:
        """The path from `input` or `data` of a name that is global."""
        if name in {"input", "data"}:
            return (name,)
        if name in self._home.children:
            return ("data", *self._package, name)
        self.used.add(name)
        return self._imports[name]

    def find_function(self, call: Call) -> RuleSet | None:
        """The function that modules define, None when it must be a builtin."""
        if not self.is_global(call.path[0]):
            return None
        path = (*self.complete(call.path[0]), *call.path[1:])
        node = self.find_node(path[1:]) if path[0] == "data" else None
        found = node.rules if node is not None else None
        return found if found is not None and found.kind == "function" else None

    def find_node(self, path: tuple[str, ...]) -> Node | None:
        """The place of that path below `data`, None when modules have nothing there."""
        node: Node | None = self.root
        for name in path:
            node = node.children.get(name) if node is not None else None
        return node

    def arity(self, call: Call) -> int | None:
        """How many arguments the function takes. Raises RegoError when there is none."""
        found = self.find_function(call)
        if found is not None:
            return found.arity
        builtin = find_builtin(".".join(call.path))
        if builtin is None:
            raise RegoError(call.line, f"undefined function {'.'.join(call.path)}")
        return builtin.arity
