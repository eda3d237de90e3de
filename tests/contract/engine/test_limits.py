"""Time limits of workflows and groups, and timers that are nobody's any more."""

from penstock.engine.control import cancel_workflow
from penstock.model.status import TaskStatus, WorkflowStatus
from penstock.store import pipelines, timers
from tests.support.lab import Lab


def test_a_workflow_whose_time_is_over_is_canceled(lab: Lab) -> None:
    pipeline = lab.run({"a": None, "b": {"needs": ["a"]}}, time_limit=20)
    agent = lab.agent()
    task = agent.take()
    lab.pass_time(19)
    assert lab.status(pipeline) is WorkflowStatus.RUNNING
    lab.pass_time(1)
    assert lab.status(pipeline) is WorkflowStatus.CANCELING
    [command] = agent.sync().cancel
    assert (command.task, command.reason) == (task, "timeout")
    agent.end(task, TaskStatus.CANCELED)
    assert lab.jobs(pipeline) == {"a": "canceled timeout", "b": "canceled timeout"}
    assert lab.workflow(pipeline).reason == "timeout"


def test_the_time_of_a_group_begins_with_the_group(lab: Lab) -> None:
    pipeline = lab.trigger(
        {
            "workflows": {
                "main": {
                    "groups": {"slow": {"needs": ["a"], "time_limit": 10}},
                    "jobs": {"a": None, "b": {"group": "slow"}, "c": {"group": "slow"}, "d": None},
                }
            }
        }
    )
    agent = lab.agent()
    lab.pass_time(11)
    agent.work()
    lab.pass_time(9)
    assert lab.jobs(pipeline) == {"a": "success", "b": "queued", "c": "queued", "d": "queued"}
    lab.pass_time(1)
    assert lab.jobs(pipeline) == {
        "a": "success",
        "b": "canceled timeout",
        "c": "canceled timeout",
        "d": "queued",
    }


def test_the_timers_of_a_workflow_end_with_it(lab: Lab) -> None:
    lab.run({"a": None}, time_limit=20)
    lab.agent().work()
    with lab.parts.db.read() as tx:
        assert timers.next_due(tx) is None


def test_a_timer_of_a_canceled_retry_rings_for_nobody(lab: Lab) -> None:
    pipeline = lab.run({"a": {"retry": {"attempts": 2, "delay": 5}}})
    lab.agent().work(TaskStatus.FAILED)
    cancel_workflow(lab.parts, lab.workflow(pipeline).uuid)
    assert lab.pass_time(5) is None
    assert lab.jobs(pipeline) == {"a": "canceled user"}


def test_a_timer_of_a_workflow_that_was_deleted_is_no_harm_to_others(lab: Lab) -> None:
    gone, other = lab.run({"a": None}, time_limit=5), lab.run({"a": None}, time_limit=6)
    with lab.parts.db.write() as tx:
        pipelines.delete_pipeline(tx, gone.id)
    assert lab.pass_time(7) is None
    assert lab.status(other) is WorkflowStatus.CANCELED


def test_many_timers_are_rung_a_part_at_a_time(lab: Lab) -> None:
    from penstock.engine.timers import MOST_AT_ONCE, tick

    with lab.parts.db.write() as tx:
        for number in range(MOST_AT_ONCE + 5):
            due = lab.clock.now() + number
            timers.set_timer(tx, "limit", f"s{number}", due_at=due, payload={"workflow": 0, "group": None})
    lab.clock.advance(10)
    assert tick(lab.parts) is not None
    assert tick(lab.parts) is None
