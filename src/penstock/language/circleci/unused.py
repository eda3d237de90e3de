"""Hints about definitions nothing refers to."""

from penstock.language.circleci.scope import KINDS
from penstock.language.common.diagnostic import Reporter
from penstock.language.common.tree import Items, Map, Place


def report_unused(tree: Map, report: Reporter) -> None:
    """A hint for each command, executor and job whose name stands nowhere else in the config.

    Looking for the name as a whole value or key finds every use, whatever way it takes, in one walk.
    """
    words: set[str] = set()
    _collect_words(tree, words)
    for kind in KINDS:
        section = tree.get(kind)
        for name in section if isinstance(section, Map) else ():
            if name not in words and not (kind == "jobs" and "workflows" not in tree and name == "build"):
                message = f"{kind.removesuffix('s').capitalize()} '{name}' is not used."
                report.suggest("unused-definition", message, Place(section, name, on_key=True))  # type: ignore[arg-type]  # a Map here


def _collect_words(tree: Map, words: set[str]) -> None:
    """Every text and key below the tree, apart from the names of definitions."""
    pending: list[object] = []
    for section, value in tree.items():
        pending.extend(value.values() if section in KINDS and isinstance(value, Map) else [value])
    seen: set[int] = set()
    while pending:
        value = pending.pop()
        if isinstance(value, str):
            words.add(value)
        elif isinstance(value, Map | Items) and id(value) not in seen:
            seen.add(id(value))
            if isinstance(value, Map):
                words.update(value)
                pending.extend(value.values())
            else:
                pending.extend(value)
