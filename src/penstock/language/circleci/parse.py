"""Source text to a config: its version, scopes, pipeline parameters and workflows."""

import msgspec

from penstock.kit.marks import Mark
from penstock.language.circleci.inspect import Inspector, check_top
from penstock.language.circleci.legacy import refuse_legacy
from penstock.language.circleci.naming import check_names
from penstock.language.circleci.schema import PIPELINE_PARAMETERS
from penstock.language.circleci.scope import Scope
from penstock.language.common.context import Context
from penstock.language.common.diagnostic import Reporter
from penstock.language.common.scalars import show_scalar
from penstock.language.common.tree import Items, Map, Place
from penstock.language.common.yaml import load_yaml

VERSIONS = ("2", "2.0", "2.1")
_NO_VERSION = "Unsupported or missing workflows config version"


class Config(msgspec.Struct):
    """A config whose parts are known but not yet expanded. `templates` is false in version 2."""

    tree: Map
    scope: Scope
    workflows: Map
    setup: bool
    templates: bool
    resolved: dict[str, str] = {}  # the config's registry orbs: the reference written, and the exact one


def parse_config(source: str | bytes, context: Context, report: Reporter) -> Config | None:
    """The config, or None after a finding that leaves nothing to look at."""
    tree = load_yaml(source, context.file, report)
    if report.failed:
        return None
    if not isinstance(tree, Map):
        message = "The config is empty." if tree is None else "[#] expected type: Mapping, found: String"
        message = "[#] expected type: Mapping, found: Sequence" if isinstance(tree, Items) else message
        report.error(
            "not-a-config", message, Mark(context.file, 1, 1), hint="start with 'version: 2.1' and 'jobs:'"
        )
        return None
    if refuse_legacy(tree, report):
        return None
    version = show_scalar(tree.get("version"))
    if version not in VERSIONS:
        place = Place(tree, "version") if "version" in tree else Place(tree)
        report.error("unsupported-version", _NO_VERSION, place, hint="write 'version: 2.1'")
    check_top(tree, report)
    check_names(tree, report)
    _warn_features(tree, version, report)
    templates = version not in VERSIONS[:2]
    workflows = _read_workflows(tree, report)
    inspector = Inspector(report, tree, templates=templates)
    inspector.check_elements(tree)
    inspector.check_groups(tree)
    inspector.check_workflows(workflows)
    if "parameters" in tree and not inspector.check(
        tree["parameters"], PIPELINE_PARAMETERS, Place(tree, "parameters")
    ):
        report.spoil(tree["parameters"])
    return Config(tree, Scope(tree, private=False), workflows, tree.get("setup") is True, templates)


def _warn_features(tree: Map, version: str, report: Reporter) -> None:
    """Warns of sections that version 2 does not know."""
    for key in ("orbs", "commands", "executors", "parameters") if version in VERSIONS[:2] else ():
        if key in tree:
            message = f"'{key}' needs version 2.1."
            report.warn(
                "needs-version-2.1", message, Place(tree, key, on_key=True), hint="write 'version: 2.1'"
            )


def _read_workflows(tree: Map, report: Reporter) -> Map:
    """The workflows; without any, a job named `build` makes one named `workflow`."""
    workflows = tree.get("workflows")
    if isinstance(workflows, Map) and any(name != "version" for name in workflows):
        return workflows
    if workflows is not None and not isinstance(workflows, Map):
        message = "[#/workflows] expected type: Mapping, found: Sequence"
        report.error(
            "wrong-type",
            message,
            Place(tree, "workflows"),
            hint="'workflows:' is a map from name to workflow",
        )
        return Map(())
    jobs = tree.get("jobs")
    if isinstance(jobs, Map) and "build" in jobs:
        entries = Items(["build"], jobs)
        return Map([("workflow", Map([("jobs", entries)], jobs))], jobs)
    if not report.failed and isinstance(jobs, Map | None):
        message = "There are no workflows or build jobs in the config."
        report.error("no-workflows", message, Place(tree), hint="add 'workflows:', or name a job 'build'")
    return Map(())
