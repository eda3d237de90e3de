"""The plan is rich enough for languages that are not yet compiled: hand-written plans of two of them.

How they run is in the scenarios of the same names.
"""

from pathlib import Path

import pytest

from penstock.lifecycle.graph import Graph
from penstock.model.status import Outcome, Reason
from penstock.plan.plan import Plan, decode_plan, encode
from penstock.plan.step import Run, Tool, When
from penstock.plan.workflow import Session, Trigger, Verdict
from tests.support.compact import read_plan

SCENARIOS = Path(__file__).parents[2] / "scenario"


def plan_of(name: str) -> Plan:
    folder = next(path for path in SCENARIOS.iterdir() if path.name.endswith(f"_{name}"))
    return read_plan(folder / "plan.yml")


@pytest.mark.parametrize("name", ["semaphore_pipeline", "kraken_flow"])
def test_a_plan_written_by_hand_is_one_a_compiler_could_hand_over(name: str) -> None:
    plan = plan_of(name)
    assert decode_plan(encode(plan)) == plan
    for workflow in plan.workflows.values():
        Graph.of(workflow)


def test_a_semaphore_block_keeps_its_shell_and_its_epilogue_never_counts() -> None:
    job = plan_of("semaphore_pipeline").workflows["main"].jobs["Build/compile"]
    assert job.session is Session.SHARED
    epilogue = [step for step in job.steps if isinstance(step, Run) and not step.counts]
    assert [step.when for step in epilogue] == [When.ALWAYS, When.ON_FAIL]


def test_a_semaphore_promotion_has_conditions_and_parameters() -> None:
    follow_ups = {entry.name: entry for entry in plan_of("semaphore_pipeline").workflows["main"].follow_ups}
    assert follow_ups["Rollback"].when == (Verdict(Outcome.FAILED, Reason.TEST),)
    production = follow_ups["Production"]
    assert production.trigger is Trigger.MANUAL
    assert [(spec.name, spec.required, spec.default, spec.options) for spec in production.parameters] == [
        ("VERSION", True, None, ()),
        ("REGION", False, "eu", ("eu", "us")),
    ]
    assert not follow_ups["After"].counts


def test_a_kraken_job_is_one_per_environment_with_the_same_steps() -> None:
    jobs = plan_of("kraken_flow").workflows["main"].jobs
    assert {job.name for job in jobs.values()} == {"make"}
    assert jobs["make/ubuntu"].steps == jobs["make/any"].steps
    assert [job.origin.labels["system"] for job in jobs.values() if job.origin] == ["ubuntu:22.04", "any"]


def test_a_kraken_step_is_a_tool_with_attempts_and_a_condition() -> None:
    steps = plan_of("kraken_flow").workflows["main"].jobs["make/any"].steps
    tools = [step for step in steps if isinstance(step, Tool)]
    assert [(step.tool, step.retry.attempts, step.retry.delay) for step in tools[:2]] == [
        ("git", 1, 0.0),
        ("shell", 3, 2.0),
    ]
    condition = tools[2].condition
    assert condition is not None
    assert (condition.language, condition.text) == ("kraken", "was_any_error")
    assert tools[3].when is When.ALWAYS
