"""Workflows that run again: what is repeated, what is kept, and where what is kept came from."""

import pytest

from penstock.engine.control import cancel_workflow, rerun_workflow
from penstock.engine.repeat import MOST_RERUNS, find_origins
from penstock.engine.summary import summarize_pipeline
from penstock.model.errors import NotFoundError, RefusedError
from penstock.model.run import Pipeline
from penstock.model.status import TaskStatus, WorkflowStatus
from penstock.store import workspaces
from penstock.wire.messages import ArtifactStored, LayerSaved
from tests.support.compact import Compact
from tests.support.lab import HandAgent, Lab

CHAIN: dict[str, Compact | None] = {"a": None, "b": {"needs": ["a"]}, "c": {"needs": ["b"]}, "x": None}
FAILED = TaskStatus.FAILED


def finish(lab: Lab, **verdicts: TaskStatus) -> None:
    """Everything that can run has run; jobs that are not named pass."""
    agent = lab.agent()
    while claimed := agent.claim():
        agent.end(claimed[0].task, verdicts.get(claimed[0].plan.name, TaskStatus.SUCCESS))


def failed_chain(lab: Lab) -> Pipeline:
    pipeline = lab.run(CHAIN)
    finish(lab, b=FAILED, x=FAILED)
    assert lab.jobs(pipeline) == {
        "a": "success",
        "b": "failed test",
        "c": "not_run dependency",
        "x": "failed test",
    }
    return pipeline


def test_a_whole_rerun_repeats_all_in_a_fresh_workspace(lab: Lab) -> None:
    pipeline = failed_chain(lab)
    old = lab.workflow(pipeline)
    again = rerun_workflow(lab.parts, old.uuid)
    assert (again.rerun_of, again.workspace) == (old.uuid, again.uuid)
    assert lab.jobs(pipeline) == {"a": "queued", "b": "blocked", "c": "blocked", "x": "queued"}
    finish(lab)
    assert lab.ends(pipeline) == [WorkflowStatus.FAILED, WorkflowStatus.SUCCESS]


def test_a_rerun_from_failed_keeps_what_passed(lab: Lab) -> None:
    pipeline = failed_chain(lab)
    old, kept = lab.workflow(pipeline), lab.job(pipeline, "a")
    again = rerun_workflow(lab.parts, old.uuid, from_failed=True)
    assert again.workspace == again.uuid
    assert lab.jobs(pipeline) == {"a": "success", "b": "queued", "c": "blocked", "x": "queued"}
    copy = lab.job(pipeline, "a")
    assert (copy.started_at, copy.stopped_at, copy.number) == (kept.started_at, kept.stopped_at, None)
    finish(lab)
    assert lab.ends(pipeline) == [WorkflowStatus.FAILED, WorkflowStatus.SUCCESS]


def test_a_rerun_of_a_rerun_knows_who_did_the_work(lab: Lab) -> None:
    pipeline = failed_chain(lab)
    first = lab.job(pipeline, "a")
    for _ in range(2):
        rerun_workflow(lab.parts, lab.workflow(pipeline).uuid, from_failed=True)
        finish(lab, b=FAILED)
    with lab.parts.db.read() as tx:
        origins = find_origins(tx, lab.workflow(pipeline))
    assert origins["a"] == first
    assert origins.keys() == {"a", "x"}
    last = summarize_pipeline(lab.parts, pipeline.uuid).workflows[-1]
    assert [job.number for job in last.jobs if job.name == "a"] == [first.number]


def test_chosen_jobs_run_again_with_all_that_waits_for_them(lab: Lab) -> None:
    pipeline = failed_chain(lab)
    rerun_workflow(lab.parts, lab.workflow(pipeline).uuid, chosen=[lab.job(pipeline, "b").uuid])
    assert lab.jobs(pipeline) == {"a": "success", "b": "queued", "c": "blocked", "x": "failed test"}
    assert lab.status(pipeline) is WorkflowStatus.FAILING
    finish(lab)
    assert lab.status(pipeline) is WorkflowStatus.FAILED


def test_a_sparse_rerun_is_about_the_chosen_jobs_only(lab: Lab) -> None:
    pipeline = failed_chain(lab)
    rerun_workflow(lab.parts, lab.workflow(pipeline).uuid, chosen=[lab.job(pipeline, "b").uuid], sparse=True)
    assert lab.jobs(pipeline)["x"] == "not_run user"
    finish(lab)
    assert lab.status(pipeline) is WorkflowStatus.SUCCESS


def test_approvals_that_were_given_stay_given(lab: Lab) -> None:
    pipeline = lab.run({"hold": {"kind": "approval"}, "a": {"needs": ["hold"]}})
    lab.approve(pipeline, "hold")
    finish(lab, a=FAILED)
    rerun_workflow(lab.parts, lab.workflow(pipeline).uuid, from_failed=True)
    assert lab.jobs(pipeline) == {"hold": "success", "a": "queued"}
    assert lab.job(pipeline, "hold").approved_by == "grace"


def test_what_cannot_be_repeated_is_refused_with_the_cause(lab: Lab) -> None:
    pipeline = lab.run({"a": None})
    uuid = lab.workflow(pipeline).uuid
    with pytest.raises(RefusedError, match="only one that has ended"):
        rerun_workflow(lab.parts, uuid)
    finish(lab)
    with pytest.raises(RefusedError, match="no failed jobs"):
        rerun_workflow(lab.parts, uuid, from_failed=True)
    with pytest.raises(NotFoundError, match="no job"):
        rerun_workflow(lab.parts, uuid, chosen=[pipeline.uuid])
    with pytest.raises(NotFoundError, match="no workflow"):
        rerun_workflow(lab.parts, pipeline.uuid)
    assert len(lab.workflows(pipeline)) == 1


def test_a_workflow_reruns_itself_as_often_as_its_plan_says(lab: Lab) -> None:
    pipeline = lab.run({"a": None, "b": {"needs": ["a"]}}, max_auto_reruns=2)
    agent = lab.agent()
    agent.work()
    for _ in range(3):
        assert lab.ends(pipeline) == []
        agent.work(FAILED)
    assert [each.auto_rerun_number for each in lab.workflows(pipeline)] == [0, 1, 2]
    assert lab.ends(pipeline) == [WorkflowStatus.FAILED]
    rerun_workflow(lab.parts, lab.workflow(pipeline).uuid, from_failed=True)
    agent.work(FAILED)
    assert len(lab.workflows(pipeline)) == 4


def persist(agent: HandAgent, lab: Lab, name: str) -> str:
    """The next task, which must be of that job, adds a layer; it is not ended."""
    [assignment] = agent.claim()
    assert assignment.plan.name == name
    task = assignment.task
    blob = lab.gateway.upload(task, "layer", [b"files"])
    agent.sync(
        agent.started(task),
        LayerSaved(task=task, sequence=agent.next(task), at=lab.clock.now(), size=5, blob=blob),
    )
    return blob


ATTACHES: dict[str, Compact | None] = {
    "a": {"retry": 2},
    "b": {"needs": ["a"], "steps": [{"kind": "attach_workspace", "name": "attach", "at": "."}]},
}


def layers_given(agent: HandAgent) -> list[str]:
    [assignment] = agent.claim()
    agent.end(assignment.task, FAILED)
    return [layer.blob for layer in assignment.layers]


def test_what_a_failed_attempt_persisted_is_not_attached_beside_what_the_next_one_does(lab: Lab) -> None:
    lab.run(ATTACHES)
    agent = lab.agent()
    persist(agent, lab, "a")
    agent.end(next(iter(agent.held)), FAILED)
    blob = persist(agent, lab, "a")
    agent.end(next(iter(agent.held)))
    assert layers_given(agent) == [blob]


def test_a_rerun_attaches_what_kept_jobs_persisted(lab: Lab) -> None:
    pipeline = lab.run(ATTACHES)
    agent = lab.agent()
    blob = persist(agent, lab, "a")
    agent.end(next(iter(agent.held)))
    assert layers_given(agent) == [blob]
    rerun_workflow(lab.parts, lab.workflow(pipeline).uuid, from_failed=True)
    assert layers_given(agent) == [blob]
    rerun_workflow(lab.parts, lab.workflow(pipeline).uuid, chosen=[lab.job(pipeline, "a").uuid])
    other = persist(agent, lab, "a")
    agent.end(next(iter(agent.held)))
    assert layers_given(agent) == [other]
    with lab.parts.db.read() as tx:
        assert len(workspaces.layers_of(tx, lab.workflow(pipeline).workspace)) == 1


def test_two_reruns_at_once_have_workspaces_of_their_own(lab: Lab) -> None:
    chain = {**ATTACHES, "a": None, "c": {"needs": ["b"], "steps": ATTACHES["b"]["steps"]}}  # type: ignore[index]  # b has steps
    pipeline = lab.run(chain)
    agent = lab.agent()
    kept = persist(agent, lab, "a")
    agent.end(next(iter(agent.held)))
    agent.work(FAILED)
    old = lab.workflow(pipeline).uuid
    for _ in range(2):
        rerun_workflow(lab.parts, old, from_failed=True)
    first, second = persist(agent, lab, "b"), persist(agent, lab, "b")
    for task in list(agent.held):
        agent.end(task)
    given = [[layer.blob for layer in assignment.layers] for assignment in agent.claim(2)]
    assert given == [[kept, first], [kept, second]]


def test_a_workflow_runs_again_a_hundred_times_at_most(lab: Lab) -> None:
    pipeline = lab.run({"a": None})
    lab.agent().work(FAILED)
    for _ in range(MOST_RERUNS):
        again = rerun_workflow(lab.parts, lab.workflow(pipeline).uuid)
        cancel_workflow(lab.parts, again.uuid)
    for each in (lab.workflows(pipeline)[0], lab.workflow(pipeline)):
        with pytest.raises(RefusedError, match="100 times"):
            rerun_workflow(lab.parts, each.uuid)


def test_an_old_workflow_does_not_run_again(lab: Lab) -> None:
    pipeline = lab.run({"a": None})
    lab.agent().work(FAILED)
    lab.clock.advance(91 * 24 * 3600)
    with pytest.raises(RefusedError, match="older than 90 days"):
        rerun_workflow(lab.parts, lab.workflow(pipeline).uuid)


def test_what_a_kept_job_left_is_shown_with_it(lab: Lab) -> None:
    pipeline = lab.run({"a": None, "b": None})
    agent = lab.agent()
    a, b = (assignment.task for assignment in agent.claim(2))
    blob = lab.gateway.upload(a, "artifact", [b"x"])
    stored = ArtifactStored(
        task=a, sequence=agent.next(a), at=lab.clock.now(), path="out/x", size=1, blob=blob
    )
    agent.sync(stored, agent.finished(a), agent.finished(b, FAILED))
    rerun_workflow(lab.parts, lab.workflow(pipeline).uuid, from_failed=True)
    agent.work()
    old, new = summarize_pipeline(lab.parts, pipeline.uuid).workflows
    assert [flow.jobs[0].artifacts for flow in (old, new)] == [("out/x",), ("out/x",)]
    assert [flow.jobs[1].number for flow in (old, new)] == [2, 3]


def test_a_rerun_says_who_wanted_it_and_those_it_makes_by_itself_are_theirs(lab: Lab) -> None:
    pipeline = lab.run({"a": None}, max_auto_reruns=1)
    lab.agent().work(FAILED)
    first, second = lab.workflows(pipeline)
    assert first.started_by == second.started_by == ""
    lab.agent().work(FAILED)
    assert rerun_workflow(lab.parts, second.uuid, by="grace").started_by == "grace"
