"""Source text to a config: its version, scopes, pipeline parameters and workflows."""

from collections.abc import Mapping

import msgspec

from penstock.kit.marks import Mark
from penstock.language.circleci.expand.frame import Compilation, open_frame
from penstock.language.circleci.inspect import Inspector, check_top
from penstock.language.circleci.schema import PIPELINE_PARAMETERS
from penstock.language.circleci.scope import Scope, Unavailable
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
    resolved: dict[str, str] = {}  # registry orbs by the reference written and the one used


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
    version = show_scalar(tree.get("version"))
    if version not in VERSIONS:
        place = Place(tree, "version") if "version" in tree else Place(tree)
        report.error("unsupported-version", _NO_VERSION, place, hint="write 'version: 2.1'")
    check_top(tree, report)
    _warn_features(tree, version, report)
    templates = version not in VERSIONS[:2]
    workflows = _read_workflows(tree, report)
    inspector = Inspector(report, tree, templates=templates)
    inspector.check_elements(tree)
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


def import_orbs(config: Config, context: Context, work: Compilation) -> None:
    """Gives the config's scope an orb, or the knowledge that there is none, for each alias."""
    _import_orbs(config.tree, config.scope, context.orbs, work, config.resolved)


def _import_orbs(
    tree: Map, scope: Scope, sources: Mapping[str, str], work: Compilation, resolved: dict[str, str]
) -> None:
    orbs = tree.get("orbs")
    if orbs is None or not work.templates:
        return
    if not isinstance(orbs, Map):
        message = "[#/orbs] expected type: Mapping, found: Sequence"
        work.report.error(
            "wrong-type", message, Place(tree, "orbs"), hint="write 'alias: namespace/orb@version'"
        )
        return
    frame = open_frame(work, scope)
    for alias, value in orbs.items():
        place = Place(orbs, alias)
        if isinstance(value, Map):
            scope.orbs[alias] = _open_inline(alias, value, place, sources, work, resolved)
            continue
        reference = frame.filler.fill(value, place)
        scope.orbs[alias] = _fetch_orb(reference, place, sources, work, resolved)


def _fetch_orb(
    reference: object, place: Place, sources: Mapping[str, str], work: Compilation, resolved: dict[str, str]
) -> Scope | Unavailable:
    """The scope of a registry orb, when its source is at hand."""
    if not isinstance(reference, str) or not (reference.startswith("https://") or _is_reference(reference)):
        message = f"[{place.find_pointer()}] an orb is 'namespace/orb@version', a URL or a map"
        work.report.error("invalid-orb", message, place, hint="for example circleci/node@5.2.0")
        return Unavailable()
    source = sources.get(reference)
    if source is None:
        message = f"orb {reference} cannot be had here yet: it is in a registry this server does not know"
        hint = "write the orb's source inline under its alias"
        work.report.error("orb-unavailable", message, place, hint=hint)
        return Unavailable()
    tree = load_yaml(source, reference, work.report)
    if not isinstance(tree, Map):
        return Unavailable()
    resolved[reference] = reference
    return _open_orb(tree, sources, work, resolved)


def _open_inline(
    alias: str,
    tree: Map,
    place: Place,
    sources: Mapping[str, str],
    work: Compilation,
    resolved: dict[str, str],
) -> Scope | Unavailable:
    """The scope of an inline orb; an empty one is a placeholder that orb-tools fills in later."""
    if tree:
        return _open_orb(tree, sources, work, resolved)
    message = f"orb {alias} cannot be had here yet: it is empty in this file"
    hint = "pack the orb's source into this place, as orb-tools does in a setup workflow"
    work.report.error("orb-unavailable", message, place, hint=hint)
    return Unavailable()


def _is_reference(text: str) -> bool:
    name, at, version = text.partition("@")
    return bool(
        at and version and name.count("/") == 1 and not name.startswith("/") and not name.endswith("/")
    )


def _open_orb(tree: Map, sources: Mapping[str, str], work: Compilation, resolved: dict[str, str]) -> Scope:
    """The scope of an orb's source, with its own orbs; its elements are checked as the config's are."""
    inspector = Inspector(work.report, tree, templates=True)
    inspector.check_elements(tree)
    scope = Scope(tree, private=True)
    _import_orbs(tree, scope, sources, work, resolved)
    return scope
