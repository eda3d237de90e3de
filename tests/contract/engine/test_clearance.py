"""Restricted contexts: a job that may not use one never starts, and says why."""

import msgspec
import pytest

from penstock.engine import contexts as rules
from penstock.engine.control import rerun_workflow
from penstock.engine.facts import load_facts
from penstock.engine.principal import SERVER
from penstock.kit.ids import new_id
from penstock.model.access import Role
from penstock.model.project import Organization, Project
from penstock.model.run import Fork, Job, Pipeline
from penstock.model.status import JobStatus, TaskStatus, WorkflowStatus
from penstock.store.restrictions import RestrictionKind
from tests.support.lab import Lab
from tests.support.people import add_member, add_person

JOBS = {"deploy": {"contexts": ["open", "prod"]}, "after": {"needs": ["deploy"]}}


class Place(msgspec.Struct):
    """A project whose organization has a context `prod`, and one, `open`, that nobody restricts."""

    lab: Lab
    project: Project
    owner: Organization
    context: str

    def restrict(self, kind: RestrictionKind, value: str) -> None:
        rules.add_restriction(self.lab.parts, SERVER, self.context, kind, value)

    def run(self, **revision: Fork) -> Pipeline:
        return self.lab.trigger({"workflows": {"main": {"jobs": JOBS}}}, **revision)  # type: ignore[arg-type]  # only forks

    def join(self, login: str, role: Role = Role.MEMBER) -> None:
        add_member(self.lab.parts, add_person(self.lab.parts, login), self.owner, role)

    def deploy(self, pipeline: Pipeline) -> Job:
        return self.lab.job(pipeline, "deploy")


@pytest.fixture
def place(lab: Lab) -> Place:
    first = lab.run({"a": None})
    lab.agent().work()
    with lab.parts.db.read() as tx:
        facts = load_facts(tx, lab.workflow(first).id)
    rules.create_context(lab.parts, SERVER, facts.organization, "open")
    context = rules.create_context(lab.parts, SERVER, facts.organization, "prod")
    return Place(lab=lab, project=facts.project, owner=facts.organization, context=context.uuid)


def test_a_context_nobody_restricted_is_for_all(place: Place) -> None:
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
    place.restrict(RestrictionKind.GROUP, place.owner.uuid)
    denied = place.deploy(place.run())
    assert denied.message == "Context prod may not be used: ada is in none of the groups it is for."
    ada = add_person(place.lab.parts, "ada")
    assert place.deploy(place.run()).status is JobStatus.UNAUTHORIZED
    add_member(place.lab.parts, ada, place.owner, Role.VIEWER)
    assert place.deploy(place.run()).status is JobStatus.QUEUED


def test_a_group_that_is_not_known_has_no_members(place: Place) -> None:
    place.join("ada", Role.OWNER)
    place.restrict(RestrictionKind.GROUP, new_id())
    assert place.deploy(place.run()).status is JobStatus.UNAUTHORIZED


def test_a_rerun_is_judged_by_who_wants_it(place: Place) -> None:
    place.join("grace")
    place.restrict(RestrictionKind.GROUP, place.owner.uuid)
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
