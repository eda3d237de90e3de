"""Real configs: all compile, apart from those that are wrong and those that wait for an orb."""

import re
from pathlib import Path

import msgspec
import pytest
import yaml

from penstock.forge.registry.bundle import list_bundle
from penstock.language.circleci import compile as compile_config
from penstock.language.circleci.imports import list_missing_orbs
from penstock.language.common.context import Context
from penstock.language.common.diagnostic import render
from penstock.model.diagnostic import Diagnostic, Severity
from penstock.plan.plan import Plan
from tests.support.shared_data import list_shared

CONFIGS = list_shared("circleci/configs/*.yml")
INPUTS = [*list_shared("circleci/compile/inputs_*/**/*.yml"), *list_shared("circleci/orbs/*.yml")]
ORBS = {
    reference.name: path.read_text()
    for folder in {path.parent for path in list_shared("circleci/orbs/*.yml")}
    for reference, path in list_bundle(folder).items()
}
CALL = re.compile(r"Error calling (\w+): '(.*)'")
CONTEXT = Context(branch="main", values={"pipeline.number": 1, "pipeline.project.type": "github"})

WRONG = {
    # The repository's own comment: a file for its editor's tests; it calls a step that is defined nowhere.
    "CircleCI-Public__circleci-yaml-language-server__test-files_parameter-inline.yml": "unknown-command",
    # Two of the continuation files orb-tools writes the orb under test into before anybody compiles them.
    "CircleCI-Public__maven-orb__test-deploy.yml": "unknown-orb",
    "cypress-io__circleci-orb__test-deploy.yml": "unknown-orb",
    # A scanner's fixture of wrong jobs: lists for jobs, images without a name, no executor.
    "bridgecrewio__checkov__tests_circleci_pipelines_resources_config.yml": "wrong-type",
    # A workflow whose jobs stand below its triggers; an hour later the project committed "Fix circle config".
    "cloud-gov__pages-core__042a29c4.yml": "required-key",
    # `-run:` without a blank makes a map of the steps.
    "facebookresearch__hydra__website_static_config.yml": "wrong-type",
}
"""What the vendor would refuse too: the code of the finding that says why."""

OF_VERSIONS = frozenset(
    {"unknown-command", "unknown-job", "unknown-executor", "missing-argument", "unexpected-argument"}
)
"""Findings that say an orb has other elements, or other parameters, than the config was written for."""


def compile_file(path: Path) -> Plan:
    return compile_config(path.read_bytes(), CONTEXT)


def list_errors(plan: Plan) -> list[Diagnostic]:
    return [
        finding
        for finding in plan.diagnostics
        if finding.severity is Severity.ERROR and finding.code != "orb-unavailable"
    ]


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_a_real_config_compiles_unless_it_is_wrong(path: Path) -> None:
    errors = list_errors(compile_file(path))
    assert bool(errors) is (path.name in WRONG), "\n".join(map(render, errors))
    assert not errors or WRONG[path.name] in [finding.code for finding in errors]


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_with_all_orbs_at_hand_only_their_versions_matter(path: Path) -> None:
    """The orbs of the data are of one version each, mostly a newer one than a config asks for."""
    source, context = path.read_bytes(), supply_orbs(path.read_bytes())
    plan = compile_config(source, context)
    tree = yaml.safe_load(source)
    foreign = [finding for finding in list_errors(plan) if not is_of_version(finding, tree)]
    assert bool(foreign) is (path.name in WRONG), "\n".join(map(render, foreign))


def supply_orbs(source: bytes) -> Context:
    """The context with every orb of the data the config wants, whichever version it asks for."""
    context = CONTEXT
    for _ in range(5):
        wanted = {name: ORBS[name.partition("@")[0]] for name in list_missing_orbs(source, context) if
                  name.partition("@")[0] in ORBS}  # fmt: skip
        if not wanted:
            break
        context = msgspec.structs.replace(context, orbs={**context.orbs, **wanted})
    return context


def is_of_version(finding: Diagnostic, tree: dict[str, dict[str, object]]) -> bool:
    """True for a finding about an element of a registry orb: it is not there, or has other parameters."""
    if finding.code not in OF_VERSIONS:
        return False
    if finding.code.startswith("unknown-"):
        alias, slash, _ = finding.message.rpartition(" ")[2].partition("/")
        return bool(slash) and isinstance(tree.get("orbs", {}).get(alias), str)
    kind, called = CALL.fullmatch(finding.scope[-1]).groups()  # type: ignore[union-attr]  # it always fits
    return called not in tree.get(f"{kind}s", {})


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: "/".join(path.parts[-2:]))
def test_every_other_input_ends_in_a_plan(path: Path) -> None:
    plan = compile_file(path)
    assert plan.workflows or plan.diagnostics


def test_every_finding_has_a_place_a_line_and_a_code() -> None:
    for path in (*CONFIGS, *INPUTS):
        for finding in compile_file(path).diagnostics:
            assert finding.mark.line > 0, render(finding)
            assert finding.code.islower()
