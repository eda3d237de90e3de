"""Real configs: all compile, apart from those that are wrong and those that wait for an orb."""

from pathlib import Path

import pytest

from penstock.language.circleci import compile as compile_config
from penstock.language.common.context import Context
from penstock.language.common.diagnostic import render
from penstock.model.diagnostic import Diagnostic, Severity
from penstock.plan.plan import Plan
from tests.support.shared_data import find_shared, list_shared

CONFIGS = list_shared("circleci/configs/*.yml")
INPUTS = [*list_shared("circleci/compile/inputs_*/**/*.yml"), *list_shared("circleci/orbs/*.yml")]
CONTEXT = Context(branch="main", values={"pipeline.number": 1, "pipeline.project.type": "github"})

WRONG = {
    "CircleCI-Public__circleci-yaml-language-server__test-files_parameter-inline.yml": "no such step",
    "CircleCI-Public__maven-orb__test-deploy.yml": "uses an orb that is only injected later",
    "bridgecrewio__checkov__tests_circleci_pipelines_resources_config.yml": "a fixture of wrong jobs",
    "cloud-gov__pages-core__042a29c4.yml": "a workflow whose jobs stand below its triggers",
    "cypress-io__circleci-orb__test-deploy.yml": "uses an orb that is only injected later",
    "facebookresearch__hydra__website_static_config.yml": "`-run:` without a blank",
}
"""What the vendor would refuse too."""


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


def test_nineteen_of_twenty_compile() -> None:
    find_shared("circleci/configs")
    assert len(WRONG) <= len(CONFIGS) * 0.05


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: "/".join(path.parts[-2:]))
def test_every_other_input_ends_in_a_plan(path: Path) -> None:
    plan = compile_file(path)
    assert plan.workflows or plan.diagnostics


def test_every_finding_has_a_place_a_line_and_a_code() -> None:
    for path in (*CONFIGS, *INPUTS):
        for finding in compile_file(path).diagnostics:
            assert finding.mark.line > 0, render(finding)
            assert finding.code.islower()
