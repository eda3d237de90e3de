"""Configs of CircleCI 1.0 (`circle.yml`), which are told apart from broken new ones."""

from penstock.language.common.diagnostic import Reporter
from penstock.language.common.scalars import show_scalar
from penstock.language.common.tree import Map, Place

_SECTIONS = ("machine", "checkout", "dependencies", "database", "compile", "test", "deployment", "general")
_NEW = ("jobs", "workflows", "orbs")


def refuse_legacy(tree: Map, report: Reporter) -> bool:
    """True when the config is of version 1, which has been reported with what its sections become now."""
    sections = [name for name in _SECTIONS if name in tree]
    version = show_scalar(tree.get("version"))
    if version not in {"", "1", "1.0"} or not sections or any(name in tree for name in _NEW):
        return False
    message = f"This is a config of CircleCI 1.0: '{sections[0]}:' is no section of today's language."
    hint = (
        "start with 'version: 2.1' and 'jobs:'; 'machine' becomes an executor, 'checkout', 'dependencies', "
        "'database', 'compile' and 'test' become steps, 'deployment' a job with 'filters'"
    )
    report.error("legacy-config", message, Place(tree, sections[0], on_key=True), hint=hint)
    return True
