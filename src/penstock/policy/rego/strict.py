"""What is refused in a policy although it could be evaluated: the strict mode of OPA, which CircleCI uses."""

from collections.abc import Iterator

from penstock.policy.rego.errors import RegoError
from penstock.policy.rego.names import list_declared, walk_bodies, walk_terms
from penstock.policy.rego.tree import Call, Import, Module, Rule

_RESERVED = frozenset({"input", "data"})
DEPRECATED = frozenset({"all", "any", "cast_array", "cast_set", "net.cidr_overlap", "re_match", "set_diff"})
"""Functions that OPA has for policies of long ago."""


def check_strictly(module: Module, used: set[str]) -> Iterator[RegoError]:
    """What is wrong in the module; `used` are the names of imports that something refers to."""
    yield from _check_imports(module.imports, used)
    for rule in module.rules:
        yield from _check_rule(rule)


def _check_imports(imports: tuple[Import, ...], used: set[str]) -> Iterator[RegoError]:
    first: dict[str, Import] = {}
    for each in imports:
        if each.path[0] not in _RESERVED:
            continue
        shown = ".".join(each.path)
        if each.alias in first:
            yield RegoError(each.line, f"import must not shadow import {'.'.join(first[each.alias].path)}")
        elif each.alias not in used:
            yield RegoError(each.line, f"import {shown} unused")
        first.setdefault(each.alias, each)


def _check_rule(rule: Rule) -> Iterator[RegoError]:
    if rule.path[0] in _RESERVED:
        yield RegoError(rule.line, f"rules must not shadow {rule.path[0]} (use a different rule name)")
    for body in walk_bodies(rule):
        for var in list_declared(body):
            if var.name in _RESERVED:
                yield RegoError(
                    var.line, f"variables must not shadow {var.name} (use a different variable name)"
                )
    for term in walk_terms(rule):
        if isinstance(term, Call) and (name := ".".join(term.path)) in DEPRECATED:
            yield RegoError(term.line, f"deprecated built-in function calls in expression: {name}")
