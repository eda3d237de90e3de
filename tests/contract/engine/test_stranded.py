"""Jobs that no agent could ever take end after a while and say what is missing; others wait on."""

from penstock.engine.stranded import explain_missing, refuse_stranded
from penstock.model.status import TaskStatus
from tests.support.lab import Lab

GRACE = 60_000
BIG = {"executor": {"labels": ["acme/big"]}}


def look(lab: Lab, seconds: float = 61) -> int:
    lab.pass_time(seconds)
    return refuse_stranded(lab.parts, grace=GRACE)


def test_a_job_without_a_possible_agent_ends_after_the_grace(lab: Lab) -> None:
    hand = lab.agent(labels=["acme/small"])
    pipeline = lab.run({"big": BIG, "small": {"executor": {"labels": ["acme/small"]}}})
    assert look(lab, 30) == 0
    hand.sync()
    assert look(lab, 31) == 1
    assert lab.jobs(pipeline) == {"big": "infrastructure_fail no_agent", "small": "queued"}
    assert lab.job(pipeline, "big").message == explain_missing("acme/big\norganization=1\n")
    [task] = lab.tasks(pipeline, "big")
    assert task.status is TaskStatus.CANCELED
    assert look(lab, 0) == 0
    hand.work()
    assert lab.status(pipeline) == "failed"


def test_a_job_waits_for_agents_that_are_busy_or_were_heard_of_lately(lab: Lab) -> None:
    hand = lab.agent(labels=["acme/big"], slots=1)
    pipeline = lab.run({"a": BIG, "b": BIG})
    task = hand.take()
    hand.begin(task)
    for _ in range(3):
        lab.clock.advance(25)
        hand.sync()
        assert refuse_stranded(lab.parts, grace=GRACE) == 0
    hand.end(task)
    assert look(lab, 50) == 0
    assert look(lab, 20) == 1
    assert sorted(lab.jobs(pipeline).values()) == ["infrastructure_fail no_agent", "success"]


def test_a_job_that_is_claimed_meanwhile_runs(lab: Lab) -> None:
    pipeline = lab.run({"a": BIG})
    lab.pass_time(61)
    hand = lab.agent(labels=["acme/big"])
    assert refuse_stranded(lab.parts, grace=GRACE) == 0
    hand.work()
    assert lab.jobs(pipeline) == {"a": "success"}


def test_copies_of_a_job_are_refused_together(lab: Lab) -> None:
    pipeline = lab.run({"a": {**BIG, "parallelism": 3}})
    assert look(lab) == 3
    assert lab.jobs(pipeline) == {"a": "infrastructure_fail no_agent"}
    assert lab.status(pipeline) == "failed"


def test_the_sentence_names_what_is_missing() -> None:
    assert explain_missing("acme/big\ngpu\norganization=1\n").startswith("No agent carries acme/big and gpu:")
    assert "takes jobs of this organization" in explain_missing("organization=1\n")
