"""Things that cannot be: one task or timer that cannot be handled must not hold up the others."""

import logging

import msgspec
import pytest

from penstock.engine.transact import transact
from penstock.engine.unit import Unit
from penstock.model.errors import InvalidError, NotFoundError, UnavailableError
from penstock.model.status import StepStatus, TaskStatus, WorkflowStatus
from penstock.store import tasks, timers
from penstock.store.failures import RolledBackError
from penstock.wire.messages import ArtifactStored, CacheSaved, Sync
from tests.support.lab import LAPSE, Lab

INTERNAL = "infrastructure_fail internal"


def test_news_that_cannot_be_taken_in_end_their_task_and_no_other(
    lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    pipeline = lab.run({"a": None, "b": None})
    agent = lab.agent()
    a, b = (assignment.task for assignment in agent.claim(2))
    bad = agent.finished(a, TaskStatus.RUNNING)  # no verdict
    agent.sync(agent.started(a), bad, agent.started(b), agent.finished(b))
    assert lab.jobs(pipeline) == {"a": INTERNAL, "b": "success"}
    assert lab.job(pipeline, "a").message.startswith("the server could not go on with this task")
    assert "cannot be handled" in caplog.text
    agent.sync(bad)
    assert lab.ends(pipeline) == [WorkflowStatus.FAILED]


def test_numbers_no_database_can_hold_end_their_task(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    pipeline = lab.run({"a": None, "b": None})
    agent = lab.agent()
    a, b = (assignment.task for assignment in agent.claim(2))
    step = agent.step_started(a)
    agent.sync(agent.started(a), msgspec.structs.replace(step, step=1 << 80), agent.finished(b))
    assert lab.jobs(pipeline) == {"a": INTERNAL, "b": "success"}


def test_an_agent_cannot_have_the_blob_of_another_task_shown_or_deleted(
    lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    pipeline = lab.run({"a": None, "b": None, "c": None})
    agent = lab.agent()
    a, b, c = (assignment.task for assignment in agent.claim(3))
    precious = lab.gateway.upload(a, "cache", [b"precious"])
    now = lab.clock.now()
    agent.sync(
        CacheSaved(task=a, sequence=agent.next(a), at=now, key="k", size=8, blob=precious),
        CacheSaved(task=b, sequence=agent.next(b), at=now, key="k", size=8, blob=precious),
        ArtifactStored(task=c, sequence=agent.next(c), at=now, path="x", size=1, blob="../../etc/passwd"),
    )
    assert lab.jobs(pipeline) == {"a": "running", "b": INTERNAL, "c": INTERNAL}
    assert lab.parts.blobs.read(precious) == b"precious"


def test_a_task_that_cannot_be_handed_out_is_ended_and_the_next_one_is(
    lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    broken = lab.trigger({"language": "klingon", "workflows": {"main": {"jobs": {"a": None}}}})
    fine = lab.run({"a": None})
    agent = lab.agent()
    [assignment] = agent.claim(2)
    assert lab.jobs(broken) == {"a": INTERNAL}
    assert "klingon" in lab.job(broken, "a").message
    agent.end(assignment.task)
    assert lab.status(fine) is WorkflowStatus.SUCCESS


def test_an_agent_cannot_break_the_task_of_another(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    pipeline = lab.run({"a": None})
    owner, stranger = lab.agent(), lab.agent()
    task = owner.take()
    stranger.sync(
        ArtifactStored(task=task, sequence=1, at=lab.clock.now(), path="x", size=1, blob="artifact/x")
    )
    assert lab.jobs(pipeline) == {"a": "running"}
    owner.end(task)
    assert lab.jobs(pipeline) == {"a": "success"}


def test_an_unknown_task_and_an_unknown_agent_are_told_apart(lab: Lab) -> None:
    agent = lab.agent()
    lab.gateway.sync(Sync(agent=agent.uuid, events=(agent.finished("nobody"),)))
    with pytest.raises(NotFoundError, match="not registered"):
        lab.gateway.sync(Sync(agent="nobody", free=1))


def test_a_workflow_that_cannot_be_told_does_not_keep_its_task(
    lab: Lab, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.CRITICAL)
    lab.run({"a": None})
    agent = lab.agent()
    task = agent.take()

    def fail(*_: object, **__: object) -> None:
        raise LookupError("a row that others refer to is missing")

    with monkeypatch.context() as patched:
        patched.setattr("penstock.engine.report.end_task", fail)
        agent.end(task)
    with lab.parts.db.read() as tx:
        row = tasks.task_by_uuid(tx, task)
    assert row is not None
    assert (row.status, row.reason, row.lease_until) == ("infrastructure_fail", "internal", None)
    cancel_rest(lab)


def cancel_rest(lab: Lab) -> None:
    """The job of a row that was ended alone is stuck until somebody cancels it: that is all we can do."""
    from penstock.engine.control import cancel_pipeline

    for pipeline in lab.every_pipeline():
        cancel_pipeline(lab.parts, pipeline.uuid)


@pytest.mark.parametrize("error", [UnavailableError("full"), RolledBackError("again")])
def test_what_passes_is_raised_and_the_agent_may_try_again(
    lab: Lab, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = lab.run({"a": None})
    agent = lab.agent()
    task = agent.take()
    end = agent.finished(task)

    def fail(*_: object, **__: object) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr("penstock.engine.turn.take_in", fail)
        with pytest.raises(UnavailableError):
            agent.sync(end)
    assert lab.jobs(pipeline) == {"a": "running"}
    agent.sync(end)
    assert lab.jobs(pipeline) == {"a": "success"}


def test_a_timer_nobody_knows_is_dropped(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    pipeline = lab.run({"a": None}, time_limit=2)
    with lab.parts.db.write() as tx:
        payload = {"workflow": lab.workflow(pipeline).id}
        timers.set_timer(tx, "gong", "x", due_at=lab.clock.now() + 1, payload=payload)
    assert lab.pass_time(3) is None
    assert "is dropped" in caplog.text
    assert lab.status(pipeline) is WorkflowStatus.CANCELED


def test_a_lease_that_a_dead_task_kept_is_cleared(lab: Lab) -> None:
    pipeline = lab.run({"a": None})
    agent = lab.agent()
    task = agent.take()
    agent.end(task)
    with lab.parts.db.write() as tx:
        [row] = tasks.tasks_of(tx, lab.job(pipeline, "a").id)
        tasks.update_tasks(tx, [tasks.TaskChange(id=row.id, lease_until=lab.clock.now() + 1)])
    lab.pass_time(LAPSE)
    assert [each.lease_until for each in lab.tasks(pipeline, "a")] == [None]


def test_a_plan_that_breaks_its_promises_leaves_nothing_behind(lab: Lab) -> None:
    bad = {"workflows": {"fine": {"jobs": {"old": None}}, "main": {"jobs": {"a": {"needs": ["ghost"]}}}}}
    with pytest.raises(InvalidError, match="ghost"):
        lab.trigger(bad)
    assert lab.every_pipeline() == []
    # Row ids of what was rolled back are used again: nothing of it may be remembered.
    pipeline = lab.trigger({"workflows": {"main": {"jobs": {"new": None}}}})
    [assignment] = lab.agent().claim(5)
    assert assignment.plan.name == "new"
    assert lab.jobs(pipeline) == {"new": "running"}


def test_what_a_transaction_did_in_vain_is_not_remembered(lab: Lab) -> None:
    pipeline = lab.run({"a": None})
    row_id = lab.workflow(pipeline).id

    class Oops(Exception):  # noqa: N818 - it is no error of ours
        pass

    def work(unit: Unit) -> None:
        from penstock.engine.effects import settle
        from penstock.engine.flow import load_flow
        from penstock.lifecycle.events import CancelRequested

        load_flow(unit, row_id).apply(CancelRequested())
        settle(unit)
        raise Oops

    before = len(lab.changes)
    with pytest.raises(Oops):
        transact(lab.parts, work)
    assert (lab.status(pipeline), len(lab.changes)) == (WorkflowStatus.RUNNING, before)
    lab.agent().work()
    assert lab.status(pipeline) is WorkflowStatus.SUCCESS


def test_steps_that_were_open_at_the_end_are_ended(lab: Lab) -> None:
    from penstock.store import steps

    pipeline = lab.run({"a": None})
    agent = lab.agent()
    task = agent.take()
    agent.begin(task)
    agent.end(task, TaskStatus.TIMEDOUT)
    with lab.parts.db.read() as tx:
        [row] = lab.tasks(pipeline, "a")
        assert [step.status for step in steps.steps_of(tx, row.id)] == [StepStatus.CANCELED]
