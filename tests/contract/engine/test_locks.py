"""Serial groups and locks over jobs, workflows and pipelines."""

from penstock.engine.control import cancel_job, cancel_pipeline, rerun_workflow
from penstock.engine.locking import LONGEST_WAIT
from penstock.model.status import Reason, TaskStatus, WorkflowStatus
from tests.support.compact import Compact
from tests.support.lab import LAPSE, Lab

DEPLOY = {"deploy": {"serial_group": "prod"}}


def test_one_job_of_a_serial_group_runs_at_a_time_whoever_made_it(lab: Lab) -> None:
    first = lab.run({"a": {"serial_group": "prod"}, "b": {"serial_group": "prod"}})
    second = lab.trigger({"workflows": {"main": {"jobs": DEPLOY}}}, project="other")
    agent = lab.agent()
    assert lab.jobs(first) == {"a": "queued", "b": "waiting"}
    assert lab.jobs(second) == {"deploy": "waiting"}
    agent.work(TaskStatus.FAILED)
    assert lab.jobs(first) == {"a": "failed test", "b": "queued"}
    agent.work()
    assert lab.jobs(second) == {"deploy": "queued"}
    agent.work()
    assert lab.status(second) is WorkflowStatus.SUCCESS


def test_a_group_of_one_organization_says_nothing_to_another(lab: Lab) -> None:
    first = lab.run(DEPLOY)
    from penstock.engine.trigger import ProjectRef, TriggerRequest, reserve_pipeline, trigger_pipeline
    from penstock.model.run import Revision, TriggerType
    from tests.support.compact import make_plan

    place = reserve_pipeline(lab.parts, ProjectRef(organization="gh/rival", name="app"))
    second = trigger_pipeline(
        lab.parts,
        TriggerRequest(
            project_id=place.project.id,
            uuid=place.uuid,
            number=place.number,
            trigger=TriggerType.API,
            actor="eve",
            revision=Revision(sha="c" * 40, branch="main"),
            plan=make_plan({"language": "circleci", "workflows": {"main": {"jobs": DEPLOY}}}),
            source="",
        ),
    )
    assert (lab.jobs(first), lab.jobs(second)) == ({"deploy": "queued"}, {"deploy": "queued"})


def test_the_lock_of_a_job_that_waits_between_attempts_stays_its_own(lab: Lab) -> None:
    first = lab.run({"deploy": {"serial_group": "prod", "retry": {"attempts": 2, "delay": LONGEST_WAIT * 2}}})
    second = lab.run(DEPLOY)
    lab.agent().work(TaskStatus.FAILED)
    assert (lab.jobs(first), lab.jobs(second)) == ({"deploy": "waiting test"}, {"deploy": "waiting"})
    lab.pass_time(LONGEST_WAIT)
    assert (lab.jobs(first), lab.jobs(second)) == ({"deploy": "waiting test"}, {"deploy": "canceled timeout"})


def test_a_job_that_waits_too_long_for_its_turn_is_canceled(lab: Lab) -> None:
    first, second = lab.run(DEPLOY), lab.run(DEPLOY)
    agent = lab.agent()
    task = agent.take()
    agent.begin(task)
    lab.clock.advance(LONGEST_WAIT - 20)
    agent.sync()
    lab.pass_time(19)
    assert lab.jobs(second) == {"deploy": "waiting"}
    lab.pass_time(1)
    assert lab.jobs(second) == {"deploy": "canceled timeout"}
    assert "prod" in lab.job(second, "deploy").message
    assert lab.jobs(first) == {"deploy": "running"}


def test_a_wait_that_is_over_is_not_ended_later(lab: Lab) -> None:
    lab.run(DEPLOY)
    second = lab.run(
        {"deploy": {"serial_group": "prod", "retry": {"attempts": 2, "delay": LONGEST_WAIT * 2}}}
    )
    agent = lab.agent()
    agent.work()
    agent.work(TaskStatus.FAILED)
    lab.pass_time(LONGEST_WAIT + 1)
    assert lab.jobs(second) == {"deploy": "waiting test"}
    lab.pass_time(LONGEST_WAIT)
    agent.work()
    assert lab.status(second) is WorkflowStatus.SUCCESS


BEHIND = {
    "build": None,
    "deploy": {"needs": ["build"], "serial_group": "prod"},
    "smoke": {"needs": ["deploy"]},
}


def test_an_older_pipeline_that_comes_after_a_newer_one_is_turned_away(lab: Lab) -> None:
    older, newer = lab.run(BEHIND), lab.run(BEHIND)
    agent = lab.agent()
    first, second = agent.claim(2)
    agent.end(second.task)
    agent.end(first.task)
    assert lab.jobs(newer)["deploy"] == "queued"
    assert lab.jobs(older) == {
        "build": "success",
        "deploy": "not_run superseded",
        "smoke": "not_run dependency",
    }
    assert "newer pipeline" in lab.job(older, "deploy").message
    assert lab.status(older) is WorkflowStatus.SUCCESS


def test_the_order_of_pipelines_holds_only_within_a_project(lab: Lab) -> None:
    lab.trigger({"workflows": {"main": {"jobs": {"x": None}}}}, project="other")
    lab.trigger({"workflows": {"main": {"jobs": DEPLOY}}}, project="other")  # its number is 2
    mine = lab.run(DEPLOY)  # its number is 1
    assert lab.jobs(mine) == {"deploy": "waiting"}


def test_a_person_may_run_an_older_pipeline_again_behind_a_newer_one(lab: Lab) -> None:
    older = lab.run(DEPLOY)
    agent = lab.agent()
    agent.work()
    newer = lab.run(DEPLOY)
    rerun_workflow(lab.parts, lab.workflow(older).uuid)
    assert (lab.jobs(older), lab.jobs(newer)) == ({"deploy": "waiting"}, {"deploy": "queued"})
    agent.work()
    agent.work()
    assert lab.jobs(older) == {"deploy": "success"}


def test_a_lock_is_kept_from_job_to_job_until_it_is_unlocked(lab: Lab) -> None:
    jobs: dict[str, Compact] = {
        "lock": {"kind": "lock", "lock": "prod"},
        "deploy": {"needs": ["lock"]},
        "unlock": {"kind": "unlock", "lock": "prod", "needs": {"deploy": "terminal"}},
        "after": {"needs": ["deploy"]},
    }
    first, second = lab.run(jobs), lab.run(jobs)
    agent = lab.agent()
    assert (lab.jobs(first)["lock"], lab.jobs(second)["lock"]) == ("success", "waiting")
    agent.work()
    assert lab.jobs(second)["lock"] == "success"
    assert lab.status(first) is WorkflowStatus.RUNNING


def test_a_canceled_pipeline_hands_on_every_lock_it_had_or_wanted(lab: Lab) -> None:
    plan = {
        "workflows": {
            "one": {"jobs": {"a": {"serial_group": "x"}, "b": {"serial_group": "x"}}},
            "two": {"jobs": {"c": {"serial_group": "x"}, "d": {"kind": "no-op", "serial_group": "x"}}},
        }
    }
    first, second = lab.trigger(plan), lab.trigger(plan)
    third = lab.trigger(plan)
    cancel_pipeline(lab.parts, second.uuid)
    assert lab.jobs(second, "one") == {"a": "canceled user", "b": "canceled user"}
    agent = lab.agent()
    agent.take()
    cancel_pipeline(lab.parts, first.uuid)
    assert lab.jobs(third, "one") == {"a": "waiting", "b": "waiting"}
    lab.pass_time(LAPSE)
    assert lab.jobs(third, "one") == {"a": "queued", "b": "waiting"}
    for _ in range(3):
        agent.work()
    assert lab.jobs(third, "two") == {"c": "success", "d": "success"}


def test_a_job_that_is_canceled_while_it_waits_leaves_the_line(lab: Lab) -> None:
    first = lab.run(DEPLOY)
    second, third = lab.run(DEPLOY), lab.run(DEPLOY)
    cancel_job(lab.parts, lab.job(second, "deploy").uuid, reason=Reason.USER)
    lab.agent().work()
    assert [lab.jobs(each)["deploy"] for each in (first, second, third)] == [
        "success",
        "canceled user",
        "queued",
    ]
