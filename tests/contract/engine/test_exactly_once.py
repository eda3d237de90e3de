"""What an agent says counts once, whatever arrives twice, late, out of order or from the wrong agent."""

import msgspec

from penstock.model.run import Job, Pipeline
from penstock.model.status import Reason, StepStatus, TaskStatus, WorkflowStatus
from penstock.store import steps
from penstock.wire.messages import Sync
from tests.support.lab import LAPSE, Lab


def steps_of(lab: Lab, pipeline: Pipeline, key: str) -> list[tuple[str, StepStatus]]:
    with lab.parts.db.read() as tx:
        return [
            (step.name, step.status)
            for task in lab.tasks(pipeline, key)
            for step in steps.steps_of(tx, task.id)
        ]


def test_a_job_goes_from_trigger_to_success(lab: Lab) -> None:
    pipeline = lab.run({"a": None})
    assert lab.jobs(pipeline) == {"a": "queued"}
    agent = lab.agent()
    task = agent.take()
    assert lab.jobs(pipeline) == {"a": "running"}
    agent.begin(task)
    lab.clock.advance(3)
    agent.sync(agent.step_finished(task), agent.finished(task))
    job = lab.job(pipeline, "a")
    assert (job.status, job.attempt, job.number) == ("success", 1, 1)
    assert job.started_at is not None
    assert job.stopped_at == job.started_at + 3000
    assert lab.status(pipeline) is WorkflowStatus.SUCCESS
    assert lab.ends(pipeline) == [WorkflowStatus.SUCCESS]
    assert steps_of(lab, pipeline, "a") == [("make", StepStatus.SUCCESS)]


def test_the_same_message_twice_changes_nothing_the_second_time(lab: Lab) -> None:
    pipeline = lab.run({"a": None, "b": {"needs": ["a"]}})
    agent = lab.agent()
    task = agent.take()
    events = (agent.started(task), agent.step_started(task), agent.finished(task, TaskStatus.FAILED))
    agent.sync(*events)
    before, told = lab.job(pipeline, "a"), len(lab.changes)
    lab.clock.advance(9)
    agent.sync(*events)
    assert lab.job(pipeline, "a") == before
    assert len(lab.changes) == told
    assert lab.ends(pipeline) == [WorkflowStatus.FAILED]


def test_of_overlapping_messages_only_the_new_events_count(lab: Lab) -> None:
    pipeline = lab.run({"a": None})
    agent = lab.agent()
    task = agent.take()
    first = (agent.started(task), agent.step_started(task, 0, "one"))
    agent.sync(*first)
    agent.sync(*first, agent.step_finished(task, 0), agent.step_started(task, 1, "two"))
    assert steps_of(lab, pipeline, "a") == [("one", StepStatus.SUCCESS), ("two", StepStatus.RUNNING)]


def test_events_in_a_wrong_order_within_a_message_are_put_right(lab: Lab) -> None:
    pipeline = lab.run({"a": None})
    agent = lab.agent()
    task = agent.take()
    started, step, end = agent.started(task), agent.step_started(task), agent.step_finished(task)
    agent.sync(end, started, step, step)
    assert steps_of(lab, pipeline, "a") == [("make", StepStatus.SUCCESS)]


def test_nothing_counts_after_the_end_of_a_task(lab: Lab) -> None:
    pipeline = lab.run({"a": None})
    agent = lab.agent()
    task = agent.take()
    agent.sync(agent.started(task), agent.finished(task), agent.step_started(task))
    agent.sync(agent.finished(task, TaskStatus.FAILED), agent.step_started(task))
    assert lab.jobs(pipeline) == {"a": "success"}
    assert steps_of(lab, pipeline, "a") == []


def test_events_of_a_task_that_another_agent_has_are_passed_over(lab: Lab) -> None:
    pipeline = lab.run({"a": None})
    lost, other = lab.agent(), lab.agent()
    task = lost.take()
    lab.pass_time(LAPSE)
    again = other.take()
    answer = lost.sync(lost.started(task), lost.step_started(task), lost.finished(task, TaskStatus.FAILED))
    assert answer.lost == ()  # it says itself that the task has ended
    assert lab.jobs(pipeline) == {"a": "running"}
    assert steps_of(lab, pipeline, "a") == []
    other.begin(again)
    other.end(again)
    assert lab.jobs(pipeline) == {"a": "success"}


def test_an_agent_that_gets_its_lost_task_back_is_not_confused_with_its_former_self(lab: Lab) -> None:
    pipeline = lab.run({"a": None})
    agent = lab.agent()
    task = agent.take()
    lab.pass_time(LAPSE)
    answer = agent.sync(agent.started(task), agent.step_started(task), free=1)
    assert answer.lost == (task,)
    [assignment] = answer.assignments
    assert assignment.task != task
    agent.sync(agent.step_started(task), agent.finished(task, TaskStatus.FAILED))
    assert lab.jobs(pipeline) == {"a": "running"}
    agent.begin(assignment.task)
    agent.end(assignment.task)
    assert lab.jobs(pipeline) == {"a": "success"}


def test_an_agent_cannot_speak_of_the_task_of_another(lab: Lab) -> None:
    pipeline = lab.run({"a": None})
    owner, stranger = lab.agent(), lab.agent()
    task = owner.take()
    stranger.sync(stranger.finished(task, TaskStatus.FAILED, Reason.TEST))
    assert lab.jobs(pipeline) == {"a": "running"}


def test_events_of_several_tasks_may_be_mixed_in_a_message(lab: Lab) -> None:
    pipeline = lab.run({"a": None, "b": None})
    agent = lab.agent()
    a, b = (assignment.task for assignment in agent.claim(2))
    agent.sync(
        agent.started(a),
        agent.started(b),
        agent.step_started(a),
        agent.step_started(b),
        agent.finished(b, TaskStatus.FAILED, Reason.TEST),
        agent.finished(a),
    )
    assert lab.jobs(pipeline) == {"a": "success", "b": "failed test"}


def test_an_answer_that_got_lost_costs_a_lease_and_no_work(lab: Lab) -> None:
    pipeline = lab.run({"a": None})
    agent = lab.agent()
    lab.gateway.sync(Sync(agent=agent.uuid, free=1))  # the answer never arrives
    assert agent.claim() == ()
    lab.pass_time(LAPSE)
    agent.work()
    assert lab.jobs(pipeline) == {"a": "success"}
    assert lab.job(pipeline, "a").attempt == 1


def test_an_agent_gets_no_more_than_it_has_slots(lab: Lab) -> None:
    lab.run(dict.fromkeys("abcdef"))
    agent = lab.agent(slots=2)
    assert len(agent.claim(1_000_000)) == 2


def test_an_agent_gets_only_jobs_whose_labels_it_carries(lab: Lab) -> None:
    lab.run({"a": {"executor": {"labels": ["gpu"]}}, "b": None})
    [plain] = lab.agent().claim(2)
    [special] = lab.agent(labels=["gpu", "fast"]).claim(2)
    assert (plain.plan.name, special.plan.name) == ("b", "a")


def test_an_agents_clock_that_goes_wrong_does_not_turn_time_back(lab: Lab) -> None:
    pipeline = lab.run({"early": None, "late": None})
    agent = lab.agent()
    for assignment, shift in zip(agent.claim(2), (-3_600_000, 3_600_000), strict=True):
        events = (agent.started(assignment.task), agent.finished(assignment.task))
        agent.sync(*(msgspec.structs.replace(event, at=event.at + shift) for event in events))
    now = lab.clock.now()
    for job in (lab.job(pipeline, "early"), lab.job(pipeline, "late")):
        assert isinstance(job, Job)
        assert (job.started_at, job.stopped_at) == (now, now)


def test_an_agent_that_is_heard_of_is_noted_now_and_then(lab: Lab) -> None:
    from penstock.store.agents import get_agent

    agent = lab.agent()
    lab.clock.advance(60)
    agent.sync(free=1)
    with lab.parts.db.read() as tx:
        record = get_agent(tx, agent.id)
    assert record is not None
    assert record.seen_at == lab.clock.now()
