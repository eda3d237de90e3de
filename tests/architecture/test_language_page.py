"""The page about CircleCI's language has each key, step and variable the code knows, and no other."""

from pathlib import Path

import pytest

from penstock.agent.injob import circleci as in_job
from penstock.agent.steps.cache_key import KeyFacts, expand_key
from penstock.language.circleci import schema
from penstock.language.circleci.condition import OPERATORS
from penstock.language.circleci.environment import Facts, list_builtins
from penstock.language.circleci.expression.parser import parse_expression
from penstock.language.circleci.inspect import TOP_KEYS
from penstock.language.circleci.parameters import ELEMENT_TYPES
from penstock.language.circleci.pipeline import PipelineFacts, list_values
from penstock.model.run import Revision
from penstock.plan.executor import Executor, ExecutorKind
from penstock.plan.workflow import JobPlan
from penstock.wire.messages import Assignment, Source
from tests.support.pages import ROOT, list_keys, read_tables

PAGE = ROOT / "docs/use/circleci.md"
TABLES = read_tables(PAGE)
STATUSES = {"works", "partly", "not yet"}

ALL_FACTS = Facts(
    job_name="job", job_number=1, job_id="1", url="u", pipeline_id="1", workflow_id="1", workspace_id="1",
    upstream_jobs=("1",), organization_id="1", project_id="1", project_owner="o", project_name="n",
    repository_url="u", branch="main", sha="1", username="u", pull_requests=("u",), fork_number=1,
    fork_owner="o", fork_name="n", previous_number=1,
)  # fmt: skip
TAGGED = Facts(job_name="job", job_number=1, job_id="1", tag="v1")


def list_step_keys() -> set[str]:
    """`step.key` for each built-in step but run and deploy, which have a table of their own."""
    return {
        f"{step}.{key}"
        for step, shape in schema.BUILTIN_STEPS.items()
        if step not in {"run", "deploy"}
        for key in shape.keys
        if key not in schema.STEP_COMMON
    }


def list_trigger_keys() -> set[str]:
    return {*schema.TRIGGER.keys, *schema.TRIGGER.keys["schedule"].keys}


KNOWN: dict[str, set[str]] = {
    "top": set(TOP_KEYS),
    "parameter": set(schema.PARAMETER.keys) | set(schema.PIPELINE_PARAMETER.keys),
    "parameter types": set(ELEMENT_TYPES),
    "operators": set(OPERATORS),
    "executor": set(schema.EXECUTOR.keys),
    "docker": set(schema.DOCKER_IMAGE.keys),
    "machine": set(schema.MACHINE.keys),
    "macos": set(schema.MACOS.keys),
    "command": set(schema.COMMAND.keys),
    "job": set(schema.JOB.keys) | set(schema.JOB_BODY.keys),
    "job types": set(schema.JOB_TYPES),
    "steps": {*schema.BUILTIN_STEPS, "when", "unless", "steps"},
    "any step": set(schema.STEP_COMMON),
    "run": set(schema.RUN.keys) - set(schema.STEP_COMMON),
    "step keys": list_step_keys(),
    "workflow": set(schema.WORKFLOW.keys),
    "trigger": list_trigger_keys(),
    "entry": set(schema.ENTRY_KEYS),
    "outcomes": {str(option) for option in schema.STATUS.options},
    "filters": {*schema.FILTERS.keys, *schema.FILTER.keys},
    "matrix": set(schema.MATRIX.keys),
    "variables": {*list_builtins(ALL_FACTS), *list_builtins(TAGGED)},
    "in-job": {f"circleci {name}" for name in in_job.COMMANDS} | {"circleci run oidc"},
    "in-job options": {f"--{name}" for name in in_job.VALUES | in_job.FLAGS},
    "values": set(list_values(PipelineFacts(id="1", number=1, project_slug="local/app"))),
}
PROVEN = {"expression", "cache keys"}
"""Tables about grammars: what they show is tried instead."""


def test_the_tables_are_those_that_are_checked() -> None:
    assert TABLES.keys() == KNOWN.keys() | PROVEN


@pytest.mark.parametrize("table", KNOWN)
def test_a_table_names_what_the_code_knows_once_each(table: str) -> None:
    assert sorted(list_keys(TABLES[table])) == sorted(KNOWN[table])


@pytest.mark.parametrize("table", sorted(KNOWN.keys() | PROVEN))
def test_every_row_says_how_it_stands(table: str) -> None:
    assert {row[1] for row in TABLES[table]} <= STATUSES
    assert [row[0] for row in TABLES[table] if row[1] == "partly" and not row[2]] == []


def test_every_operator_on_the_page_can_be_used() -> None:
    for operator in list_keys(TABLES["expression"]):
        right = {"matches": "/a/", "contains": '"a"', "starts-with": '"a"'}.get(operator, "1")
        parse_expression(f"not {right}" if operator == "not" else f"pipeline.id {operator} {right}")


def test_every_cache_key_template_on_the_page_can_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("content")
    facts = KeyFacts(
        make_assignment(), {"NAME": "value"}, lambda name: iter([(tmp_path / name).read_bytes()])
    )
    for template in list_keys(TABLES["cache keys"]):
        assert expand_key(template, facts) not in {"", template}


def make_assignment() -> Assignment:
    """A task of a pipeline on a branch."""
    revision = Revision(sha="1" * 40, branch="main")
    return Assignment(
        task="1", job="1", index=0, total=1, attempt=1, language="circleci", lease=1, number=7,
        plan=JobPlan(name="job", executor=Executor(kind=ExecutorKind.HOST)),
        source=Source(url="https://example.com/a.git", revision=revision, default_branch="main"),
    )  # fmt: skip
