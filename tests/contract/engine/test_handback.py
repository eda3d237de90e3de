"""What an agent holds is taken back at once when its server stops."""

from penstock.engine.handback import STOPPED, hand_back
from penstock.model.status import Reason, TaskStatus
from tests.support.lab import Lab


def test_a_task_nobody_worked_on_is_queued_again_and_another_agent_gets_it(lab: Lab) -> None:
    pipeline = lab.run({"a": None})
    agent, other = lab.agent(), lab.agent()
    task = agent.take()
    assert hand_back(lab.parts, agent.uuid) == 1
    [row] = lab.tasks(pipeline, "a")
    assert (row.status, row.agent_id, row.attempt) == (TaskStatus.QUEUED, None, 1)
    assert agent.sync().lost == (task,)
    other.work()
    assert lab.status(pipeline) == "success"


def test_a_task_that_had_begun_ends_as_lost_and_is_tried_again(lab: Lab) -> None:
    pipeline = lab.run({"a": None})
    agent = lab.agent()
    agent.begin(agent.take())
    assert hand_back(lab.parts, agent.uuid) == 1
    first, second = lab.tasks(pipeline, "a")
    assert (first.status, first.reason) == (TaskStatus.INFRASTRUCTURE_FAIL, Reason.AGENT_LOST)
    assert first.message == STOPPED
    assert (second.status, second.attempt) == (TaskStatus.QUEUED, 2)


def test_an_agent_that_holds_nothing_or_is_unknown_has_nothing_to_hand_back(lab: Lab) -> None:
    assert hand_back(lab.parts, lab.agent().uuid) == 0
    assert hand_back(lab.parts, "nobody") == 0
