"""What the names outside of a rule stand for: other rules, imports, the input, the data."""

from collections.abc import Iterator, Mapping

from penstock.policy.rego.builtins import find_builtin
from penstock.policy.rego.errors import RegoError
from penstock.policy.rego.run import RuleSet
from penstock.policy.rego.tree import Call, Module, Rule


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


def plant_tree(modules: Mapping[str, Module]) -> Node:
    """The places of all rules of the modules.

    Raises RegoError for rules of one name that do not go together.
    """
    root = Node()
    for module in modules.values():
        for rule in module.rules:
            _plant(root, module, rule)
    return root


def _plant(root: Node, module: Module, rule: Rule) -> None:
    node, path = root, (*module.package, *rule.path)
    for name in path:
        if node.rules is not None:
            raise RegoError(rule.line, f"rule data.{'.'.join(path)} conflicts with another rule")
        node = node.children.setdefault(name, Node())
    if node.children:
        raise RegoError(rule.line, f"rule data.{'.'.join(path)} conflicts with a package")
    if node.rules is None:
        node.rules = RuleSet(("data", *path), rule.kind, len(rule.args))
    if node.rules.kind != rule.kind or node.rules.arity != len(rule.args):
        raise RegoError(rule.line, f"conflicting rules data.{'.'.join(path)} found")


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

    def find_rules(self, path: tuple[str, ...]) -> RuleSet:
        """The rules of that name in the module's package."""
        node = self._home
        for name in path:
            node = node.children[name]
        if node.rules is None:
            raise KeyError(path)
        return node.rules

    def find_function(self, call: Call) -> RuleSet | None:
        """The function that modules define, None when it must be a builtin."""
        if not self.is_global(call.path[0]):
            return None
        path = (*self.complete(call.path[0]), *call.path[1:])
        node: Node | None = self.root if path[0] == "data" else None
        for name in path[1:]:
            node = node.children.get(name) if node is not None else None
        found = node.rules if node is not None else None
        return found if found is not None and found.kind == "function" else None

    def arity(self, call: Call) -> int | None:
        """How many arguments the function takes. Raises RegoError when there is none."""
        found = self.find_function(call)
        if found is not None:
            return found.arity
        builtin = find_builtin(".".join(call.path))
        if builtin is None:
            raise RegoError(call.line, f"undefined function {'.'.join(call.path)}")
        return builtin.arity
