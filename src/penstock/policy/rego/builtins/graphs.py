"""Functions of graphs, given as objects that have the neighbours of each node."""

from penstock.policy.rego.builtins.collections import check_list, check_object
from penstock.policy.rego.builtins.table import make_table
from penstock.policy.rego.errors import EvaluationError
from penstock.policy.rego.values import Obj, Value, sort_values

MOST_PATHS = 100_000
"""How many paths are listed."""


def _reach(graph: Value, starts: Value) -> Value:
    edges, waiting, seen = check_object(graph), list(check_list(starts)), set()
    while waiting:
        node = waiting.pop()
        if node in edges and node not in seen:
            seen.add(node)
            waiting += edges[node] or ()
    return frozenset(seen)


def _list_paths(graph: Value, starts: Value) -> Value:
    edges, found = check_object(graph), set[Value]()
    waiting: list[tuple[Value, ...]] = [(node,) for node in check_list(starts) if node in edges]
    while waiting:
        path = waiting.pop()
        following = _find_following(edges, path)
        if not following or len(following) < len(edges[path[-1]]):
            found.add(path)
        waiting += [(*path, node) for node in following]
        if len(found) + len(waiting) > MOST_PATHS:
            raise EvaluationError(f"graph.reachable_paths gives more than {MOST_PATHS} paths")
    return frozenset(found)


def _find_following(edges: Obj, path: tuple[Value, ...]) -> list[Value]:
    """The neighbours of the last node that are nodes and not on the path."""
    return [node for node in sort_values(edges[path[-1]] or ()) if node in edges and node not in path]


TABLE = make_table({
    "graph.reachable": _reach,
    "graph.reachable_paths": _list_paths,
})  # fmt: skip
