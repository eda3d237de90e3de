"""The functions that the language has of its own. None reaches out: no network, no files, no environment."""

from functools import cache

from penstock.policy.rego.builtins import (
    amounts,
    collections,
    documents,
    encodings,
    graphs,
    networks,
    numbers,
    patterns,
    printing,
    strings,
    times,
)
from penstock.policy.rego.builtins.table import Builtin

_TABLES = (
    numbers.TABLE,
    collections.TABLE,
    strings.TABLE,
    printing.TABLE,
    patterns.TABLE,
    encodings.TABLE,
    documents.TABLE,
    graphs.TABLE,
    networks.TABLE,
    amounts.TABLE,
    times.TABLE,
)


@cache
def _load() -> dict[str, Builtin]:
    return {name: builtin for table in _TABLES for name, builtin in table.items()}


def find_builtin(name: str) -> Builtin | None:
    """The function of that name, None when there is none."""
    return _load().get(name)


def list_builtins() -> list[str]:
    """The names of all functions, those of operators among them."""
    return list(_load())


__all__ = ["Builtin", "find_builtin", "list_builtins"]
