"""The `orbs:` of a config: inline ones opened, registry ones taken from what is at hand."""

import msgspec

from penstock.language.circleci.bind import bind_pipeline
from penstock.language.circleci.expand.frame import Compilation, open_frame
from penstock.language.circleci.inspect import Inspector
from penstock.language.circleci.orbs import is_orb_name, is_orb_url, parse_reference
from penstock.language.circleci.parse import Config, parse_config
from penstock.language.circleci.scope import Scope, Unavailable
from penstock.language.circleci.values import PipelineValues
from penstock.language.common.context import Context
from penstock.language.common.diagnostic import Reporter
from penstock.language.common.tree import Map, Place
from penstock.language.common.yaml import load_yaml

DEEPEST_ORBS = 20
"""Orbs inside orbs."""

_HINT = (
    "supply it with 'penstock orb publish NAMESPACE/NAME@VERSION FILE' or 'penstock orb import FOLDER', let "
    "PENSTOCK_ORB_REGISTRY name a registry that has it, or write its source inline under its alias"
)


class _Imports(msgspec.Struct):
    """What one import of orbs carries along.

    `opened` are scopes by exact reference, so that an orb many others use is read once; `chain` are the
    references that are being opened right now; `missing` those not at hand.
    """

    context: Context
    work: Compilation
    opened: dict[str, Scope] = {}
    chain: list[str] = []
    missing: list[str] = []


def import_orbs(config: Config, context: Context, work: Compilation) -> list[str]:
    """Gives the config's scope an orb, or the knowledge that there is none, for each alias.

    Answers the references of orbs that are not at hand, each once.
    """
    imports = _Imports(context, work)
    config.resolved.update(_import_section(config.tree, config.scope, imports))
    return list(dict.fromkeys(imports.missing))


def _import_section(tree: Map, scope: Scope, imports: _Imports) -> dict[str, str]:
    """The exact references of the section's registry orbs, by what is written."""
    orbs, work = tree.get("orbs"), imports.work
    resolved: dict[str, str] = {}
    if orbs is None or not work.templates:
        return resolved
    if not isinstance(orbs, Map):
        message = "[#/orbs] expected type: Mapping, found: Sequence"
        hint = "write 'alias: namespace/orb@version'"
        work.report.error("wrong-type", message, Place(tree, "orbs"), hint=hint)
        return resolved
    frame = open_frame(work, scope)
    for alias, value in orbs.items():
        place = Place(orbs, alias)
        if isinstance(value, Map):
            scope.orbs[alias] = _open_inline(alias, value, place, imports)
            continue
        reference = frame.filler.fill(value, place)
        exact = imports.context.pins.get(str(reference), str(reference))
        scope.orbs[alias] = _open_reference(reference, exact, place, imports)
        if isinstance(scope.orbs[alias], Scope):
            resolved[str(reference)] = exact
    return resolved


def _open_reference(reference: object, exact: str, place: Place, imports: _Imports) -> Scope | Unavailable:
    """The scope of a registry orb, when its source is at hand."""
    report = imports.work.report
    if not isinstance(reference, str) or not (is_orb_url(reference) or parse_reference(reference)):
        message = f"[{place.find_pointer()}] an orb is 'namespace/orb@version', a URL or a map"
        report.error("invalid-orb", message, place, hint=_explain_reference(str(reference)))
        return Unavailable()
    if exact in imports.opened:
        return imports.opened[exact]
    if exact in imports.chain or len(imports.chain) >= DEEPEST_ORBS:
        message = f"Orb '{exact}' imports itself: {' -> '.join((*imports.chain, exact))}"
        report.error("recursive-orb", message, place, hint="an orb cannot be part of its own imports")
        return Unavailable()
    source = imports.context.orbs.get(exact)
    if source is None:
        imports.missing.append(reference)
        fault = imports.context.faults.get(reference) or "no registry at hand has it"
        report.error("orb-unavailable", f"orb {reference} cannot be had: {fault}", place, hint=_HINT)
        return Unavailable()
    tree = load_yaml(source, exact, report)
    if not isinstance(tree, Map):
        return Unavailable()
    imports.chain.append(exact)
    scope = imports.opened[exact] = _open_orb(tree, imports)
    imports.chain.pop()
    return scope


def _explain_reference(text: str) -> str:
    """What is missing in a reference to an orb."""
    if is_orb_name(text.rstrip("@")):
        return f"say which version: {text.rstrip('@')}@1.2.3"
    if text.startswith("http://"):
        return "the address of an orb begins with https://"
    return "for example circleci/node@5.2.0"


def _open_inline(alias: str, tree: Map, place: Place, imports: _Imports) -> Scope | Unavailable:
    """The scope of an inline orb; an empty one is a placeholder that orb-tools fills in later."""
    if tree:
        return _open_orb(tree, imports)
    message = f"orb {alias} cannot be had: it is empty in this file"
    hint = "pack the orb's source into this place, as orb-tools does in a setup workflow"
    imports.work.report.error("orb-unavailable", message, place, hint=hint)
    return Unavailable()


def _open_orb(tree: Map, imports: _Imports) -> Scope:
    """The scope of an orb's source, with its own orbs; its elements are checked as the config's are."""
    inspector = Inspector(imports.work.report, tree, templates=True)
    inspector.check_elements(tree)
    inspector.check_orb(tree)
    scope = Scope(tree, private=True)
    _import_section(tree, scope, imports)
    return scope


def list_missing_orbs(source: str | bytes, context: Context) -> tuple[str, ...]:
    """The references of registry orbs a config and its orbs want and the context does not hold.

    Nothing is expanded, and what is wrong is left to the compiler. Orbs inside an orb show only when that
    is at hand, so whoever fetches asks again.
    """
    if (b"orbs" if isinstance(source, bytes) else "orbs") not in source:  # type: ignore[operator]  # same kind
        return ()
    report = Reporter()
    config = parse_config(source, context, report)
    if config is None:
        return ()
    values = PipelineValues(context, setup=config.setup)
    values.parameters = bind_pipeline(config.tree, context, report)
    work = Compilation(report, values, templates=config.templates)
    return tuple(import_orbs(config, context, work))
