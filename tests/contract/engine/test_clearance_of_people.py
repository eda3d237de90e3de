"""Contexts for groups of people: judged by who started the workflow, and closed when in doubt."""

import pytest

from penstock.engine.accounts import disable_user
from penstock.engine.contexts import create_context, set_context_variable
from penstock.engine.control import approve_job, rerun_workflow
from penstock.engine.forks import label_fork
from penstock.engine.organizations import create_organization, remove_member, set_member
from penstock.engine.people_groups import add_group_member, create_group, delete_group, remove_group_member
from penstock.engine.principal import SERVER
from penstock.model.access import Role
from penstock.model.errors import ForbiddenError
from penstock.model.run import Fork, TriggerType
from penstock.model.schedule import SYSTEM
from penstock.model.status import JobStatus, WorkflowStatus
from penstock.store.restrictions import EVERYONE, RestrictionKind
from penstock.store.sealing import Sealer
from tests.support.lab import Lab
from tests.support.people import sign_in
from tests.support.restricted import JOBS, Place, make_place

FORK = Fork(number=3, owner="eve", name="app")
SEALER = Sealer([b"k" * 32])


@pytest.fixture
def place(lab: Lab) -> Place:
    return make_place(lab)


def test_a_context_for_a_group_is_for_those_in_it(place: Place) -> None:
    place.join("ada")
    place.join("grace", Role.OWNER)
    place.restrict_to(place.group("deployers", "ada"))
    assert place.start("ADA").status is JobStatus.QUEUED
    assert place.start("grace").message == (
        "Context prod may not be used: grace is in none of the groups it is for."
    )
    assert place.start("eve").message == "Context prod may not be used: eve does not belong to gh/acme."


def test_of_two_groups_one_is_enough(place: Place) -> None:
    place.join("ada")
    place.restrict_to(place.group("deployers"))
    place.restrict(RestrictionKind.GROUP, place.group("testers", "ada").uuid)
    assert place.start().status is JobStatus.QUEUED


def test_a_context_for_no_group_is_for_administrators(place: Place) -> None:
    place.join("ada")
    place.join("grace", Role.ADMIN)
    place.lift(EVERYONE)
    assert place.start().message == (
        "Context prod may not be used: it is for no group, so for administrators of gh/acme alone."
    )
    assert place.start("grace").status is JobStatus.QUEUED


def test_whoever_leaves_the_organization_leaves_its_groups_for_good(place: Place) -> None:
    ada = place.join("ada")
    place.restrict_to(place.group("deployers", "ada"))
    remove_member(place.lab.parts, SERVER, place.owner, ada.uuid)
    assert place.start().status is JobStatus.UNAUTHORIZED
    set_member(place.lab.parts, SERVER, place.owner, ada.uuid, Role.MEMBER)
    assert place.start().status is JobStatus.UNAUTHORIZED


def test_another_role_leaves_somebody_in_the_group(place: Place) -> None:
    ada = place.join("ada")
    place.restrict_to(place.group("deployers", "ada"))
    set_member(place.lab.parts, SERVER, place.owner, ada.uuid, Role.VIEWER)
    assert place.start().status is JobStatus.QUEUED


def test_a_disabled_account_passes_nowhere(place: Place) -> None:
    ada = place.join("ada")
    place.restrict_to(place.group("deployers", "ada"))
    disable_user(place.lab.parts, SERVER, ada.uuid)
    assert place.start().status is JobStatus.UNAUTHORIZED


def test_when_a_group_is_deleted_its_contexts_are_for_nobody(place: Place) -> None:
    place.join("ada", Role.OWNER)
    group = place.group("deployers", "ada")
    place.restrict_to(group)
    assert place.start().status is JobStatus.QUEUED
    delete_group(place.lab.parts, SERVER, place.owner, "deployers")
    assert place.start().status is JobStatus.UNAUTHORIZED
    place.group("deployers", "ada")
    assert place.start().status is JobStatus.UNAUTHORIZED


def test_a_group_of_another_organization_lets_nobody_pass(place: Place) -> None:
    ada = place.join("ada")
    other = create_organization(place.lab.parts, SERVER, host="gh", name="other")
    set_member(place.lab.parts, SERVER, other, ada.uuid, Role.OWNER)
    group = create_group(place.lab.parts, SERVER, other, "deployers")
    add_group_member(place.lab.parts, SERVER, other, group.uuid, ada.uuid)
    place.restrict_to(group)
    assert place.start().status is JobStatus.UNAUTHORIZED


def test_a_job_that_waits_is_judged_by_the_groups_as_they_are_when_it_starts(place: Place) -> None:
    ada = place.join("ada")
    group = place.group("deployers", "ada")
    place.restrict_to(group)
    pipeline = place.run()
    remove_group_member(place.lab.parts, SERVER, place.owner, group.name, ada.uuid)
    assert place.lab.agent().claim() == ()
    assert place.deploy(pipeline).status is JobStatus.UNAUTHORIZED
    rerun_workflow(place.lab.parts, place.lab.workflow(pipeline).uuid, by="ada", from_failed=True)
    assert place.deploy(pipeline).status is JobStatus.UNAUTHORIZED


def test_who_approves_does_not_count(place: Place) -> None:
    place.join("ada")
    place.join("grace")
    place.restrict_to(place.group("deployers", "grace"))
    jobs = {"hold": {"kind": "approval"}, "deploy": {**JOBS["deploy"], "needs": ["hold"]}}
    pipeline = place.lab.trigger({"workflows": {"main": {"jobs": jobs}}})
    approve_job(place.lab.parts, place.lab.job(pipeline, "hold").uuid, by="grace")
    assert place.deploy(pipeline).status is JobStatus.UNAUTHORIZED
    assert place.lab.status(pipeline) is WorkflowStatus.UNAUTHORIZED


@pytest.mark.parametrize("nobody", ["", SYSTEM])
def test_what_a_schedule_starts_in_nobodys_name_is_like_all_members_and_in_no_group(
    place: Place, nobody: str
) -> None:
    place.restrict_to_members()
    assert place.start(nobody, trigger=TriggerType.SCHEDULE).status is JobStatus.QUEUED
    assert place.start(nobody, trigger=TriggerType.WEBHOOK).status is JobStatus.UNAUTHORIZED
    place.restrict(RestrictionKind.GROUP, place.group("deployers").uuid)
    place.lift(place.owner.uuid)
    assert place.start(nobody, trigger=TriggerType.SCHEDULE).status is JobStatus.UNAUTHORIZED


def test_a_fork_without_secrets_may_name_what_is_for_all_members(place: Place) -> None:
    place.join("eve")
    assert place.start("eve", fork=FORK).status is JobStatus.QUEUED
    place.restrict_to_members()
    assert place.start("stranger", fork=FORK).status is JobStatus.QUEUED
    trusted = label_fork(trusted=True)
    assert "from a fork" in place.start("eve", fork=FORK, labels=trusted).message
    place.restrict(RestrictionKind.GROUP, EVERYONE)
    assert place.start("eve", fork=FORK, labels=trusted).status is JobStatus.QUEUED
    place.lift(place.owner.uuid)
    place.restrict_to(place.group("deployers", "eve"))
    assert "from a fork" in place.start("eve", fork=FORK).message


def test_a_context_may_be_changed_by_those_it_is_for(place: Place) -> None:
    parts = place.lab.parts
    ada, grace = place.join("ada"), place.join("grace", Role.ADMIN)
    new = create_context(parts, sign_in(parts, ada), place.owner, "new")
    set_context_variable(parts, SEALER, sign_in(parts, ada), new.uuid, "A", "1")
    place.restrict_to(place.group("deployers"))
    set_context_variable(parts, SEALER, sign_in(parts, grace), place.context, "A", "1")
    with pytest.raises(ForbiddenError, match="groups that you are not in"):
        set_context_variable(parts, SEALER, sign_in(parts, ada), place.context, "A", "2")
