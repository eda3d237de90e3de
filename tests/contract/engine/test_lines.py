"""Workflows that wait for each other, and those that push others out."""

import pytest

from penstock.engine.control import cancel_workflow, rerun_workflow
from penstock.model.run import Pipeline
from penstock.model.status import TaskStatus, WorkflowStatus
from tests.support.compact import Compact
from tests.support.lab import Lab

TWO = {"a": None, "b": {"needs": ["a"]}}


def run(lab: Lab, *, project: str = "app", name: str = "line", **rule: object) -> Pipeline:
    queue: Compact = {"name": name, **rule}
    return lab.trigger({"workflows": {"main": {"jobs": TWO, "queue": queue}}}, project=project)


def states(lab: Lab, *pipelines: Pipeline) -> list[str]:
    return [lab.status(pipeline).value for pipeline in pipelines]


def test_workflows_of_a_line_run_one_after_the_other_oldest_first(lab: Lab) -> None:
    every = [run(lab) for _ in range(3)]
    agent = lab.agent()
    assert states(lab, *every) == ["running", "queued", "queued"]
    agent.work()
    agent.work()
    assert states(lab, *every) == ["success", "running", "queued"]
    agent.work(TaskStatus.FAILED)
    assert states(lab, *every) == ["success", "failed", "running"]


def test_a_canceled_workflow_leaves_its_line(lab: Lab) -> None:
    first, second, third = (run(lab) for _ in range(3))
    cancel_workflow(lab.parts, lab.workflow(second).uuid)
    assert states(lab, first, second, third) == ["running", "canceled", "queued"]
    cancel_workflow(lab.parts, lab.workflow(first).uuid)
    assert states(lab, first, second, third) == ["canceled", "canceled", "running"]


@pytest.mark.parametrize(("scope", "expected"), [("project", "running"), ("organization", "queued")])
def test_a_line_is_shared_by_a_project_or_by_all(lab: Lab, scope: str, expected: str) -> None:
    run(lab, scope=scope)
    assert states(lab, run(lab, scope=scope, project="other")) == [expected]


def test_one_that_waits_for_nobody_is_waited_for(lab: Lab) -> None:
    first = run(lab)
    parallel = run(lab, serialized=False)
    last = run(lab)
    assert states(lab, first, parallel, last) == ["running", "running", "queued"]
    cancel_workflow(lab.parts, lab.workflow(first).uuid)
    assert states(lab, parallel, last) == ["running", "queued"]
    cancel_workflow(lab.parts, lab.workflow(parallel).uuid)
    assert states(lab, last) == ["running"]


def test_a_newcomer_cancels_those_that_wait(lab: Lab) -> None:
    every = [run(lab, cancel_queued=True) for _ in range(4)]
    assert states(lab, *every) == ["running", "canceled", "canceled", "queued"]
    assert lab.workflow(every[1]).reason == "strategy"
    assert lab.jobs(every[1]) == {"a": "canceled strategy", "b": "canceled strategy"}
    assert lab.ends(every[2]) == [WorkflowStatus.CANCELED]


def test_a_newcomer_cancels_what_runs_and_begins_when_that_has_stopped(lab: Lab) -> None:
    first = run(lab, cancel_running=True)
    agent = lab.agent()
    task = agent.take()
    second = run(lab, cancel_running=True)
    assert states(lab, first, second) == ["canceling", "queued"]
    agent.end(task, TaskStatus.CANCELED)
    assert states(lab, first, second) == ["canceled", "running"]


def test_a_newcomer_begins_at_once_when_nobody_has_to_be_waited_for(lab: Lab) -> None:
    first = run(lab, cancel_running=True)
    second = run(lab, cancel_running=True)
    assert states(lab, first, second) == ["canceled", "running"]


def test_auto_cancel_works_without_a_line(lab: Lab) -> None:
    first = run(lab, serialized=False, cancel_running=True)
    agent = lab.agent()
    task = agent.take()
    second = run(lab, serialized=False, cancel_running=True)
    other = run(lab, serialized=False, cancel_running=True, name="another")
    assert states(lab, first, second, other) == ["canceling", "running", "running"]
    agent.end(task, TaskStatus.CANCELED)
    assert lab.jobs(first) == {"a": "canceled strategy", "b": "canceled strategy"}


def test_a_rerun_waits_and_pushes_nobody_out(lab: Lab) -> None:
    first = run(lab, cancel_running=True)
    agent = lab.agent()
    agent.work(TaskStatus.FAILED)
    second = run(lab, cancel_running=True)
    rerun_workflow(lab.parts, lab.workflow(first).uuid)
    assert states(lab, second, first) == ["running", "queued"]
    agent.work()
    agent.work()
    assert states(lab, second, first) == ["success", "running"]


def test_an_automatic_rerun_goes_to_the_end_of_the_line(lab: Lab) -> None:
    plan = {"workflows": {"main": {"jobs": {"a": None}, "queue": {"name": "line"}, "max_auto_reruns": 1}}}
    first, second = lab.trigger(plan), lab.trigger(plan)
    agent = lab.agent()
    agent.work(TaskStatus.FAILED)
    assert states(lab, second, first) == ["running", "queued"]
    assert lab.ends(first) == []
    agent.work()
    agent.work()
    assert states(lab, second, first) == ["success", "success"]
    assert lab.ends(first) == [WorkflowStatus.SUCCESS]


def test_a_line_of_workflows_of_one_pipeline_passes_through(lab: Lab) -> None:
    flow = {"jobs": {"a": {"kind": "no-op"}}, "queue": {"name": "line", "cancel_queued": False}}
    pipeline = lab.trigger({"workflows": {"one": flow, "two": flow, "three": flow}})
    assert [lab.status(pipeline, key) for key in ("one", "two", "three")] == ["success"] * 3
    assert lab.ends(pipeline) == [WorkflowStatus.SUCCESS]
