"""The config a setup workflow continues with is compiled for the pipeline it continues."""

from pathlib import Path

import pytest

from penstock.bootstrap.config import Question, find_config
from penstock.bootstrap.continuation import make_compiler
from penstock.bootstrap.orbs import find_registry
from penstock.engine.continuation import ToCompile
from penstock.kit.ids import new_id
from penstock.language.circleci import compile as compile_config
from penstock.language.circleci.orbs import OrbReference
from penstock.language.common.context import Context
from penstock.model.diagnostic import has_errors
from penstock.model.project import Project
from penstock.model.run import Pipeline, Revision, TriggerType
from penstock.model.status import PipelineStatus
from penstock.plan.plan import Plan
from penstock.plan.select import Selection
from penstock.plan.step import Run
from tests.support.repositories import make_repository

SETUP = """\
version: 2.1
setup: true
parameters: {size: {type: integer, default: 1}}
jobs: {build: {machine: true, steps: [checkout]}}
"""
REST = """\
version: 2.1
parameters: {size: {type: integer, default: 1}, word: {type: string, default: none}}
jobs:
  make:
    machine: true
    steps: [run: echo << pipeline.number >> << pipeline.parameters.size >> << pipeline.parameters.word >>]
workflows: {main: {jobs: [make]}}
"""
WITH_ORB = """\
version: 2.1
orbs: {say: acme/say@1}
jobs: {make: {machine: true, steps: [say/hello]}}
workflows: {main: {jobs: [make]}}
"""
PARAMETERS: dict[str, str | int | bool] = {"size": 7}


@pytest.fixture
def question(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Question:
    monkeypatch.setenv("PENSTOCK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PENSTOCK_ORB_REGISTRY", "off")
    top = make_repository(tmp_path / "app", {".circleci/config.yml": SETUP})
    checkout, file = find_config(top, None)
    return Question(file=file, checkout=checkout, orb_lock=tmp_path / "orbs.lock")


def ask(source: str, parameters: dict[str, str | int | bool] | None = None, **given: str | int) -> ToCompile:
    pipeline = Pipeline(
        id=1,
        uuid=new_id(),
        project_id=1,
        number=42,
        status=PipelineStatus.SETUP,
        created_at=0,
        updated_at=0,
        trigger=TriggerType.LOCAL,
        actor="ada",
        revision=Revision(sha="a" * 40, branch="main"),
        language="circleci",
        parameters=parameters or {},
    )
    project = Project(
        id=1, uuid=new_id(), organization_id=1, slug="gh/acme/app", name="app", url="", default_branch="main",
        created_at=0,
    )  # fmt: skip
    setup = compile_config(SETUP, Context(branch="main", parameters=parameters or {}))
    return ToCompile(project=project, pipeline=pipeline, setup=setup, source=source, given=given)


def commands_of(plan: Plan) -> list[str]:
    steps = plan.workflows["main"].jobs["make"].steps
    return [step.command for step in steps if isinstance(step, Run)]


def test_number_and_arguments_of_both_requests_reach_the_config(question: Question) -> None:
    heard: list[Plan] = []
    plan = make_compiler(question, Selection(), heard.append)(ask(REST, PARAMETERS, word="hi"))
    assert commands_of(plan) == ["echo 42 7 hi"]
    assert heard == [plan]


def test_findings_name_the_continuation_as_their_file(question: Question) -> None:
    plan = make_compiler(question, Selection(), lambda _: None)(ask(REST.replace("[make]", "[mkae]")))
    assert has_errors(plan.diagnostics)
    assert {finding.mark.file for finding in plan.diagnostics} == {"continuation"}


@pytest.mark.parametrize(
    ("source", "given", "code"),
    [
        (REST, {"size": 1}, "conflicting-parameters"),
        (REST, {"other": 1}, "unexpected-argument"),
        (f"setup: true\n{REST}", {}, "setup-again"),
    ],
)
def test_what_contradicts_the_setup_is_found(
    question: Question, source: str, given: dict[str, int], code: str
) -> None:
    plan = make_compiler(question, Selection(), lambda _: None)(ask(source, PARAMETERS, **given))
    assert code in {finding.code for finding in plan.diagnostics}
    assert plan.workflows == {}


def test_a_parameter_has_one_type_in_both_configs(question: Question) -> None:
    source = REST.replace("size: {type: integer, default: 1}", "size: {type: string, default: x}")
    plan = make_compiler(question, Selection(), lambda _: None)(ask(source))
    assert "parameters-disagree" in {finding.code for finding in plan.diagnostics}


def test_the_orbs_of_the_continuation_have_a_lock_of_their_own(question: Question, tmp_path: Path) -> None:
    orb = "commands: {hello: {steps: [run: echo hello]}}\n"
    find_registry().publish(OrbReference("acme/say", "1.2.0"), orb)
    plan = make_compiler(question, Selection(), lambda _: None)(ask(WITH_ORB))
    assert commands_of(plan) == ["echo hello"]
    assert "acme/say@1.2.0" in (tmp_path / "orbs.continuation.lock").read_text()
    assert not (tmp_path / "orbs.lock").exists()


def test_a_name_nobody_knows_is_a_finding(question: Question) -> None:
    plan = make_compiler(question, Selection(jobs=("nope",)), lambda _: None)(ask(REST))
    assert [finding.code for finding in plan.diagnostics if finding.code.startswith("unknown")] == [
        "unknown-selection"
    ]
    assert plan.workflows == {}
