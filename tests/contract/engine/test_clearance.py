"""Restricted contexts: a job that may not use one never starts, and says why."""

import time

import pytest

from penstock.engine.control import rerun_workflow
from penstock.engine.event_values import pack_values
from penstock.engine.origin import label_origin
from penstock.engine.rules import PATIENCE
from penstock.kit.ids import new_id
from penstock.language.common.pattern import LONGEST_MATCH
from penstock.model.access import Role
from penstock.model.run import Fork
from penstock.model.status import JobStatus, TaskStatus, WorkflowStatus
from penstock.store.restrictions import EVERYONE, RestrictionKind
from tests.support.lab import Lab
from tests.support.people import add_member, add_person
from tests.support.restricted import Place, make_place


@pytest.fixture
def place(lab: Lab) -> Place:
    return make_place(lab)


def test_a_context_for_everyone_is_for_all(place: Place) -> None:
    assert place.deploy(place.run()).status is JobStatus.QUEUED


def test_a_job_of_another_project_is_unauthorized_and_so_is_its_workflow(place: Place) -> None:
    place.restrict(RestrictionKind.PROJECT, new_id())
    pipeline = place.run()
    job = place.deploy(pipeline)
    assert job.status is JobStatus.UNAUTHORIZED
    assert job.number is None
    assert job.message == "Context prod may not be used: it is for other projects."
    assert place.lab.jobs(pipeline)["after"] == "not_run dependency"
    assert place.lab.status(pipeline) is WorkflowStatus.UNAUTHORIZED
    assert place.lab.agent().claim() == ()


def test_one_of_a_kind_is_enough_and_all_kinds_must_agree(place: Place) -> None:
    place.restrict(RestrictionKind.PROJECT, new_id())
    place.restrict(RestrictionKind.PROJECT, place.project.uuid)
    assert place.deploy(place.run()).status is JobStatus.QUEUED
    place.restrict(RestrictionKind.EXPRESSION, 'pipeline.git.branch == "release"')
    assert place.deploy(place.run()).message == "Context prod may not be used: its rule does not hold here."
    place.restrict(RestrictionKind.EXPRESSION, 'pipeline.git.branch == "main" and not job.ssh.enabled')
    assert place.deploy(place.run()).status is JobStatus.QUEUED


@pytest.mark.parametrize(
    "rule",
    ["", "pipeline.git.branch ==", "pipeline.parameters.deep", "pipeline.trigger_parameters.git.branch",
     "nothing.known", "pipeline.git.branch > 3", "pipeline.git.tag == pipeline.git.tag", "job.ssh.enabled",
     "pipeline.git.branch matches /(/"],
)  # fmt: skip
def test_a_rule_that_cannot_be_judged_lets_nobody_pass(place: Place, rule: str) -> None:
    place.restrict(RestrictionKind.EXPRESSION, rule or " ")
    assert place.deploy(place.run()).status is JobStatus.UNAUTHORIZED


def test_only_members_may_use_what_is_for_all_members(place: Place) -> None:
    place.restrict_to_members()
    denied = place.deploy(place.run())
    assert denied.message == f"Context prod may not be used: ada does not belong to {place.owner.slug}."
    ada = add_person(place.lab.parts, "ada")
    assert place.deploy(place.run()).status is JobStatus.UNAUTHORIZED
    add_member(place.lab.parts, ada, place.owner, Role.VIEWER)
    assert place.deploy(place.run()).status is JobStatus.QUEUED


def test_a_group_that_is_not_known_has_no_members(place: Place) -> None:
    place.join("ada", Role.OWNER)
    place.restrict(RestrictionKind.GROUP, new_id())
    place.lift(EVERYONE)
    denied = place.deploy(place.run())
    assert denied.message == "Context prod may not be used: ada is in none of the groups it is for."


def test_a_rerun_is_judged_by_who_wants_it(place: Place) -> None:
    place.join("grace")
    place.restrict_to_members()
    pipeline = place.run()
    old = place.lab.workflow(pipeline).uuid
    rerun_workflow(place.lab.parts, old, by="ada", from_failed=True)
    assert place.deploy(pipeline).status is JobStatus.UNAUTHORIZED
    rerun_workflow(place.lab.parts, old, by="grace", from_failed=True)
    assert place.deploy(pipeline).status is JobStatus.QUEUED


def test_a_fork_may_use_no_restricted_context(place: Place) -> None:
    place.restrict(RestrictionKind.PROJECT, place.project.uuid)
    pipeline = place.run(fork=Fork(number=3, owner="eve", name="app"))
    assert "from a fork" in place.deploy(pipeline).message


def test_a_job_that_waits_for_an_agent_is_judged_again_when_it_starts(place: Place) -> None:
    pipeline = place.lab.run({"deploy": {"contexts": ["prod"], "parallelism": 2}})
    place.restrict(RestrictionKind.PROJECT, new_id())
    assert place.lab.agent().claim(2) == ()
    assert place.deploy(pipeline).status is JobStatus.UNAUTHORIZED
    assert {task.status for task in place.lab.tasks(pipeline, "deploy")} == {TaskStatus.CANCELED}
    assert place.lab.status(pipeline) is WorkflowStatus.UNAUTHORIZED


def test_a_job_that_runs_already_goes_on(place: Place) -> None:
    agent = place.lab.agent()
    pipeline = place.lab.run({"deploy": {"contexts": ["prod"], "parallelism": 2}})
    agent.begin(agent.take())
    place.restrict(RestrictionKind.PROJECT, new_id())
    agent.begin(agent.take())
    assert place.deploy(pipeline).status is JobStatus.RUNNING


SLOW = " or ".join(["pipeline.git.branch matches /(a|aa)+(b|bb)*(a|aa)+$x/"] * 40)


def test_rules_that_take_long_deny_at_once_and_hold_up_nobody(place: Place) -> None:
    for number in range(10):
        place.restrict(RestrictionKind.EXPRESSION, f"{SLOW} or pipeline.number == {1000 + number}")
    begun = time.monotonic()
    slow = place.run(branch="a" * 200)
    first = time.monotonic() - begun
    assert place.deploy(slow).status is JobStatus.UNAUTHORIZED
    assert first < 5 < 10 * 40 * LONGEST_MATCH
    workflow = place.lab.workflow(slow).uuid
    begun = time.monotonic()
    for _ in range(10):
        rerun_workflow(place.lab.parts, workflow, by="ada", from_failed=True)
    assert time.monotonic() - begun < 10 * PATIENCE
    assert place.deploy(slow).status is JobStatus.UNAUTHORIZED
    place.restrict(RestrictionKind.EXPRESSION, 'pipeline.git.branch == "main"')
    assert place.deploy(place.run()).status is JobStatus.QUEUED


def test_a_rule_may_ask_where_the_config_is_from(place: Place) -> None:
    place.restrict(RestrictionKind.EXPRESSION, 'pipeline.config_source starts-with "api"')
    assert place.start().status is JobStatus.UNAUTHORIZED
    assert place.start(labels=label_origin(given=True)).status is JobStatus.QUEUED
    place.restrict(RestrictionKind.EXPRESSION, 'pipeline.config.ref == "refs/heads/main"')
    assert place.start().status is JobStatus.QUEUED
    assert place.start(branch="dev").status is JobStatus.UNAUTHORIZED
    assert place.start(labels=label_origin(given=False, branch="dev")).status is JobStatus.UNAUTHORIZED
    assert (
        place.start(branch="dev", labels=label_origin(given=False, branch="main")).status is JobStatus.QUEUED
    )


def test_no_rule_goes_by_what_a_trigger_says(place: Place) -> None:
    said = pack_values({"pipeline.trigger_parameters.git.branch": "main", "pipeline.event.action": "opened"})
    place.restrict(RestrictionKind.EXPRESSION, 'pipeline.trigger_parameters.git.branch == "main"')
    place.restrict(RestrictionKind.EXPRESSION, 'pipeline.trigger_parameters.git.branch? == "main"')
    assert place.start(labels=said).status is JobStatus.UNAUTHORIZED
    place.restrict(RestrictionKind.EXPRESSION, 'pipeline.event.action? == "opened"')
    assert place.start(labels=said).status is JobStatus.QUEUED
    assert place.start().status is JobStatus.UNAUTHORIZED
