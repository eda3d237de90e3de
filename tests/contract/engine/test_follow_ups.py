"""Approvals, held starts, and workflows that come out of others."""

import msgspec
import pytest

from penstock.engine.control import (
    approve_job,
    cancel_pipeline,
    rerun_workflow,
    start_follow_up,
    start_workflow,
)
from penstock.engine.history import list_runs
from penstock.engine.languages import LANGUAGES, TaskFacts
from penstock.model.errors import InvalidError, NotFoundError, RefusedError
from penstock.model.run import Pipeline
from penstock.model.status import TaskStatus, WorkflowStatus
from penstock.plan.arguments import Simple
from penstock.store import followups, outbox
from penstock.store.followups import FollowUpStatus
from tests.support.lab import Lab

SUCCESS, FAILED = WorkflowStatus.SUCCESS, WorkflowStatus.FAILED


def run(lab: Lab, **follow_up: object) -> Pipeline:
    entry = {"name": "next", "workflow": "child", **follow_up}
    return lab.trigger(
        {
            "workflows": {
                "main": {"jobs": {"a": None}, "follow_ups": [entry]},
                "child": {"start": "follow_up", "jobs": {"b": None}},
            }
        }
    )


def test_an_approval_holds_until_a_person_says_yes(lab: Lab) -> None:
    pipeline = lab.run({"hold": {"kind": "approval"}, "a": {"needs": ["hold"]}})
    assert (lab.status(pipeline), lab.jobs(pipeline)) == ("on_hold", {"hold": "on_hold", "a": "blocked"})
    lab.approve(pipeline, "hold")
    assert lab.jobs(pipeline) == {"hold": "success", "a": "queued"}
    assert lab.job(pipeline, "hold").approved_by == "grace"
    lab.approve(pipeline, "hold")
    lab.agent().work()
    assert lab.status(pipeline) is SUCCESS


def test_an_approval_whose_turn_has_not_come_is_refused_with_the_cause(lab: Lab) -> None:
    pipeline = lab.run({"a": None, "hold": {"kind": "approval", "needs": ["a"]}})
    with pytest.raises(RefusedError, match="have not ended"):
        lab.approve(pipeline, "hold")
    with pytest.raises(RefusedError, match="is no approval"):
        lab.approve(pipeline, "a")
    with pytest.raises(NotFoundError):
        approve_job(lab.parts, "00000000-0000-7000-8000-000000000000", by="grace")


def test_an_approval_that_is_too_late_is_refused(lab: Lab) -> None:
    pipeline = lab.run({"hold": {"kind": "approval"}})
    cancel_pipeline(lab.parts, pipeline.uuid)
    with pytest.raises(RefusedError, match="hold is canceled: it is too late"):
        lab.approve(pipeline, "hold")


def test_the_pipeline_ends_after_its_automatic_follow_up(lab: Lab) -> None:
    pipeline = run(lab)
    agent = lab.agent()
    agent.work()
    assert lab.ends(pipeline) == []
    assert lab.jobs(pipeline, "child") == {"b": "queued"}
    agent.work(TaskStatus.FAILED)
    assert lab.ends(pipeline) == [FAILED]


def test_a_follow_up_whose_condition_does_not_hold_is_not_made(lab: Lab) -> None:
    pipeline = run(lab)
    lab.agent().work(TaskStatus.FAILED)
    assert [each.key for each in lab.workflows(pipeline)] == ["main"]
    assert lab.ends(pipeline) == [FAILED]


def test_a_follow_up_of_its_own_config_is_asked_for_by_a_letter(lab: Lab) -> None:
    pipeline = run(lab, workflow=None, source="deploy.yml")
    lab.agent().work()
    with lab.parts.db.write() as tx:
        now = lab.clock.now()
        [letter] = outbox.take_due(tx, ["compile-follow-up"], now, lease_until=now + 1000)
    assert (letter.kind, letter.payload["source"]) == ("compile-follow-up", "deploy.yml")
    assert [each.key for each in lab.workflows(pipeline)] == ["main"]


def test_an_after_task_does_not_count(lab: Lab) -> None:
    pipeline = run(lab, when="any", counts=False)
    agent = lab.agent()
    agent.work()
    agent.work(TaskStatus.FAILED)
    assert lab.ends(pipeline) == [SUCCESS]


def test_a_rerun_of_an_after_task_does_not_count_either(lab: Lab) -> None:
    pipeline = run(lab, when="any", counts=False)
    agent = lab.agent()
    agent.work()
    agent.work(TaskStatus.FAILED)
    for _ in range(2):
        rerun_workflow(lab.parts, lab.workflow(pipeline, "child").uuid)
        agent.work(TaskStatus.FAILED)
    assert lab.ends(pipeline) == [SUCCESS] * 3
    assert [each.outcome for each in list_runs(lab.parts)] == [SUCCESS]


def test_a_held_follow_up_does_not_keep_its_pipeline_from_ending(lab: Lab) -> None:
    pipeline = run(lab, trigger="held")
    agent = lab.agent()
    agent.work()
    assert lab.ends(pipeline) == [SUCCESS]
    assert [each.outcome for each in list_runs(lab.parts)] == [SUCCESS]
    child = lab.workflow(pipeline, "child")
    assert (child.status, lab.jobs(pipeline, "child")) == ("on_hold", {"b": "blocked"})
    start_workflow(lab.parts, child.uuid, by="grace")
    assert lab.jobs(pipeline, "child") == {"b": "queued"}
    with lab.parts.db.read() as tx:
        record = followups.followup_to(tx, child.uuid)
    assert record is not None
    assert (record.status, record.actor) == (FollowUpStatus.STARTED, "grace")
    start_workflow(lab.parts, child.uuid, by="ada")  # once more changes nothing
    agent.work(TaskStatus.FAILED)
    assert lab.ends(pipeline) == [SUCCESS, FAILED]


def test_a_held_follow_up_that_is_canceled_does_not_change_the_verdict(lab: Lab) -> None:
    pipeline = run(lab, trigger="held")
    lab.agent().work()
    cancel_pipeline(lab.parts, pipeline.uuid)
    assert lab.status(pipeline, "child") is WorkflowStatus.CANCELED
    assert lab.ends(pipeline) == [SUCCESS, SUCCESS]


def test_a_held_root_waits_for_its_person_and_its_pipeline_with_it(lab: Lab) -> None:
    held = {"start": "held", "jobs": {"a": None}}
    pipeline = lab.trigger({"workflows": {"main": held, "other": {"jobs": {"b": None}}}})
    agent = lab.agent()
    agent.work()
    assert lab.status(pipeline) is WorkflowStatus.ON_HOLD
    assert lab.ends(pipeline) == []
    start_workflow(lab.parts, lab.workflow(pipeline).uuid, by="grace")
    agent.work()
    assert lab.ends(pipeline) == [SUCCESS]


def test_a_held_workflow_that_is_started_waits_in_its_line(lab: Lab) -> None:
    line = {"queue": {"name": "line"}}
    pipeline = lab.trigger(
        {
            "workflows": {
                "main": {"jobs": {"a": None}, **line},
                "held": {"start": "held", "jobs": {"b": None}, **line},
            }
        }
    )
    start_workflow(lab.parts, lab.workflow(pipeline, "held").uuid, by="grace")
    start_workflow(lab.parts, lab.workflow(pipeline, "held").uuid, by="grace")
    assert lab.jobs(pipeline, "held") == {"b": "blocked"}
    lab.agent().work()
    assert lab.jobs(pipeline, "held") == {"b": "queued"}


def test_what_is_not_held_needs_nobody_to_start_it(lab: Lab) -> None:
    plan = {"workflows": {"main": {"jobs": {"a": None}, "queue": {"name": "line"}}}}
    lab.trigger(plan)
    second = lab.trigger(plan)
    with pytest.raises(RefusedError, match="nobody needs to start it"):
        start_workflow(lab.parts, lab.workflow(second).uuid, by="grace")


def test_a_person_may_start_a_follow_up_at_any_time(lab: Lab) -> None:
    pipeline = run(lab, trigger="manual")
    record = start_follow_up(lab.parts, lab.workflow(pipeline).uuid, "next", by="grace")
    assert record.target == lab.workflow(pipeline, "child").uuid
    agent = lab.agent()
    agent.work()
    agent.work()
    assert lab.ends(pipeline) == [SUCCESS]
    with pytest.raises(NotFoundError, match="no follow-up 'other'"):
        start_follow_up(lab.parts, lab.workflow(pipeline).uuid, "other", by="grace")


def test_a_pipeline_of_nothing_ends_at_once(lab: Lab) -> None:
    pipeline = lab.trigger({"workflows": {}})
    assert lab.ends(pipeline) == [WorkflowStatus.NOT_RUN]
    empty = lab.trigger({"workflows": {"main": {"jobs": {}}}})
    assert lab.ends(empty) == [WorkflowStatus.NOT_RUN]


SPECS = [
    {"name": "target", "options": ["staging", "production"], "default": "staging"},
    {"name": "reason", "required": True},
    {"name": "note"},
]


def arguments_of(lab: Lab, pipeline: Pipeline) -> list[dict[str, object]]:
    with lab.parts.db.read() as tx:
        return [dict(run.parameters) for run in followups.followups_of(tx, lab.workflow(pipeline).id)]


def listened(monkeypatch: pytest.MonkeyPatch) -> list[TaskFacts]:
    """All that the language is told of tasks from now on."""
    heard: list[TaskFacts] = []
    real = LANGUAGES["circleci"]

    def hear(facts: TaskFacts) -> dict[str, str]:
        heard.append(facts)
        return real.variables(facts)

    told = msgspec.structs.replace(real, variables=hear)
    monkeypatch.setattr("penstock.engine.languages.LANGUAGES", {"circleci": told})
    return heard


def test_a_follow_up_that_is_started_takes_parameters_to_its_tasks(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = listened(monkeypatch)
    pipeline = run(lab, trigger="manual", parameters=SPECS)
    agent = lab.agent()
    agent.work()
    main = lab.workflow(pipeline).uuid
    start_follow_up(lab.parts, main, "next", by="ada", parameters={"reason": "release"})
    wanted = {"target": "staging", "reason": "release"}
    assert arguments_of(lab, pipeline) == [wanted]
    agent.work(TaskStatus.FAILED)
    rerun_workflow(lab.parts, lab.workflow(pipeline, "child").uuid)
    agent.work()
    assert [dict(facts.arguments) for facts in heard] == [{}, wanted, wanted]


def test_a_held_follow_up_gets_its_parameters_when_it_is_started(lab: Lab) -> None:
    pipeline = run(lab, trigger="held", parameters=SPECS)
    lab.agent().work()
    assert arguments_of(lab, pipeline) == [{"target": "staging"}]
    child = lab.workflow(pipeline, "child").uuid
    with pytest.raises(InvalidError, match="reason needs a value"):
        start_workflow(lab.parts, child, by="ada")
    assert lab.status(pipeline, "child") is WorkflowStatus.ON_HOLD
    start_workflow(lab.parts, child, by="ada", parameters={"reason": "r", "target": "production"})
    assert arguments_of(lab, pipeline) == [{"target": "production", "reason": "r"}]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"reason": "r", "targte": "x"}, "no parameter 'targte'; there are: target, reason, note"),
        ({"reason": "r", "target": "moon"}, "target must be one of staging, production, not moon"),
        ({"reason": 3}, "reason must be a string, not 3"),
        ({}, "reason needs a value"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(lab: Lab, given: dict[str, Simple], said: str) -> None:
    pipeline = run(lab, trigger="manual", parameters=SPECS)
    lab.agent().work()
    with pytest.raises(InvalidError, match=said):
        start_follow_up(lab.parts, lab.workflow(pipeline).uuid, "next", by="ada", parameters=given)
    assert arguments_of(lab, pipeline) == []


def test_a_workflow_that_takes_no_parameters_says_so(lab: Lab) -> None:
    pipeline = lab.trigger({"workflows": {"main": {"start": "held", "jobs": {"a": None}}}})
    with pytest.raises(InvalidError, match="takes no parameters"):
        start_workflow(lab.parts, lab.workflow(pipeline).uuid, by="ada", parameters={"a": 1})
