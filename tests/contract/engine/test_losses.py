"""Agents that go away, before and after work began."""

from penstock.engine.control import cancel_workflow
from penstock.engine.recover import recover_pipelines
from penstock.engine.report import MOST_CLAIMS, lose_task
from penstock.engine.transact import transact
from penstock.engine.trigger import ProjectRef, TriggerRequest, reserve_pipeline, trigger_pipeline
from penstock.model.run import Pipeline, Revision, TriggerType
from penstock.model.status import StepStatus, WorkflowStatus
from penstock.store import steps
from tests.support.compact import make_plan
from tests.support.lab import LAPSE, Lab


def test_a_task_that_was_lost_before_work_is_queued_again_in_the_same_attempt(lab: Lab) -> None:
    pipeline = lab.run({"a": None})
    lab.agent().take()
    lab.pass_time(LAPSE)
    assert lab.jobs(pipeline) == {"a": "queued"}
    job = lab.job(pipeline, "a")
    assert (job.attempt, job.started_at) == (1, None)
    lab.agent().work()
    assert lab.jobs(pipeline) == {"a": "success"}


def test_a_lease_that_is_renewed_is_not_lost(lab: Lab) -> None:
    pipeline = lab.run({"a": None})
    agent = lab.agent()
    task = agent.take()
    for _ in range(5):
        lab.pass_time(LAPSE / 2)
        assert agent.sync().lost == ()
    agent.end(task)
    assert lab.jobs(pipeline) == {"a": "success"}


def test_a_task_that_was_lost_at_work_is_rescued_and_its_steps_are_ended(lab: Lab) -> None:
    pipeline = lab.run({"a": None})
    agent = lab.agent()
    agent.begin(agent.take())
    lab.pass_time(LAPSE)
    assert lab.jobs(pipeline) == {"a": "queued"}
    first, _ = lab.tasks(pipeline, "a")
    assert (first.status, first.reason) == ("infrastructure_fail", "agent_lost")
    with lab.parts.db.read() as tx:
        assert [step.status for step in steps.steps_of(tx, first.id)] == [StepStatus.CANCELED]
    agent.begin(agent.take())
    lab.pass_time(LAPSE)
    assert lab.jobs(pipeline) == {"a": "infrastructure_fail agent_lost"}
    assert "not heard of" in lab.job(pipeline, "a").message
    assert lab.ends(pipeline) == [WorkflowStatus.FAILED]


def test_a_task_that_kills_every_agent_before_its_first_step_ends_after_some(lab: Lab) -> None:
    pipeline = lab.run({"a": None})
    for _ in range(MOST_CLAIMS):
        assert lab.jobs(pipeline) == {"a": "queued"}
        lab.agent().take()
        lab.pass_time(LAPSE)
    assert lab.jobs(pipeline) == {"a": "infrastructure_fail no_agent"}
    assert f"{MOST_CLAIMS} agents" in lab.job(pipeline, "a").message


def test_copies_are_counted_each_for_itself(lab: Lab) -> None:
    pipeline = lab.run({"a": {"parallelism": 3}})
    for _ in range(MOST_CLAIMS - 1):
        assert len(lab.agent().claim(3)) == 3
        lab.pass_time(LAPSE)
    assert lab.jobs(pipeline) == {"a": "queued"}
    agent = lab.agent()
    for assignment in agent.claim(3):
        agent.end(assignment.task)
    assert lab.jobs(pipeline) == {"a": "success"}


def test_a_lost_copy_leaves_the_others_at_work(lab: Lab) -> None:
    pipeline = lab.run({"a": {"parallelism": 2}})
    lost, other = lab.agent(), lab.agent()
    lost.take()
    task = other.take()
    lab.clock.advance(LAPSE)
    other.sync()
    lab.pass_time(0)
    assert lab.jobs(pipeline) == {"a": "running"}
    other.end(task)
    assert lab.jobs(pipeline) == {"a": "running"}
    other.work()
    assert lab.jobs(pipeline) == {"a": "success"}


def test_an_agent_lost_while_canceling_ends_what_it_held(lab: Lab) -> None:
    pipeline = lab.run({"a": None, "b": None})
    agent = lab.agent()
    a, _ = agent.claim(2)
    agent.begin(a.task)
    cancel_workflow(lab.parts, lab.workflow(pipeline).uuid)
    assert lab.status(pipeline) is WorkflowStatus.CANCELING
    lab.pass_time(LAPSE)
    assert lab.jobs(pipeline) == {"a": "canceled user", "b": "canceled user"}
    assert lab.ends(pipeline) == [WorkflowStatus.CANCELED]


def test_a_loss_that_was_noticed_too_late_takes_nothing_from_the_next_agent(lab: Lab) -> None:
    pipeline = lab.run({"a": None})
    first, second = lab.agent(), lab.agent()
    task = first.take()
    lab.pass_time(LAPSE)
    again = second.take()
    for uuid in (task, again):  # another server had seen the expired lease as well
        transact(lab.parts, lambda unit, uuid=uuid: lose_task(unit, uuid, message="late", expired=True))  # type: ignore[misc]  # mypy knows no defaults of lambdas
    assert lab.jobs(pipeline) == {"a": "running"}
    second.begin(again)
    second.end(again)
    assert lab.jobs(pipeline) == {"a": "success"}


def owned(lab: Lab, owner: str, **jobs: None) -> Pipeline:
    plan = make_plan({"language": "circleci", "workflows": {"main": {"jobs": jobs}}})
    place = reserve_pipeline(lab.parts, ProjectRef(organization="local", name="app"))
    request = TriggerRequest(
        project_id=place.project.id,
        uuid=place.uuid,
        number=place.number,
        trigger=TriggerType.LOCAL,
        actor="ada",
        revision=Revision(sha="b" * 40),
        plan=plan,
        source="",
        owner=owner,
    )
    return trigger_pipeline(lab.parts, request)


def test_what_a_dead_command_left_is_ended_and_what_a_living_one_runs_is_not(lab: Lab) -> None:
    dead, alive = owned(lab, "dead", a=None, b=None, c=None), owned(lab, "alive", a=None)
    agent = lab.agent()
    begun, _ = agent.claim(2)
    agent.begin(begun.task)
    assert recover_pipelines(lab.parts, lambda owner: owner == "dead") == 1
    interrupted = "canceled interrupted"
    assert lab.jobs(dead) == {"a": interrupted, "b": interrupted, "c": interrupted}
    assert lab.ends(dead) == [WorkflowStatus.CANCELED]
    assert lab.jobs(alive) == {"a": "queued"}
    assert recover_pipelines(lab.parts, lambda owner: owner == "dead") == 0
