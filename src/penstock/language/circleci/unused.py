"""Hints about definitions nothing refers to."""

from collections import Counter

from penstock.language.circleci.scope import KINDS
from penstock.language.common.diagnostic import Reporter
from penstock.language.common.tree import Map, Place


def report_unused(tree: Map, report: Reporter) -> None:
    """A hint for each command, executor and job whose name stands nowhere else in the text.

    A name can be used in many ways (as a default, in a matrix, as an argument), so any other scalar
    that equals it counts as a use.
    """
    if tree.source is None:
        return
    written = Counter(tree.source.words)
    sections = {
        kind: section for kind in (*KINDS, "job-groups") if isinstance(section := tree.get(kind), Map)
    }
    defined = Counter(name for section in sections.values() for name in section)
    orbs = tree.get("orbs")
    if isinstance(orbs, Map):
        _report_orbs(orbs, written, report)
    for kind, section in sections.items():
        for name in section:
            if written[name] <= defined[name] and not (name == "build" and "workflows" not in tree):
                message = f"{kind.removesuffix('s').replace('-', ' ').capitalize()} '{name}' is not used."
                report.suggest("unused-definition", message, Place(section, name, on_key=True))


def _report_orbs(orbs: Map, written: Counter[str], report: Reporter) -> None:
    """A hint for each orb none of whose elements is named."""
    used = {word.partition("/")[0] for word in written if "/" in word}
    for alias in orbs:
        if alias not in used:
            place = Place(orbs, alias, on_key=True)
            report.suggest("unused-definition", f"Orb '{alias}' is not used.", place)
