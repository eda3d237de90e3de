"""A project, its organization and contexts that jobs may or may not use."""

from collections.abc import Mapping

import msgspec

from penstock.engine import contexts as rules
from penstock.engine.facts import load_facts
from penstock.engine.people_groups import add_group_member, create_group
from penstock.engine.principal import SERVER
from penstock.engine.trigger import ProjectRef, TriggerRequest, reserve_pipeline, trigger_pipeline
from penstock.model.access import Role, User
from penstock.model.project import Organization, Project
from penstock.model.run import Fork, Job, Pipeline, Revision, TriggerType
from penstock.store import contexts, projects, restrictions, users
from penstock.store.contexts import StoredContext
from penstock.store.people_groups import PeopleGroup
from penstock.store.restrictions import EVERYONE, RestrictionKind
from tests.support.compact import make_plan
from tests.support.lab import Lab
from tests.support.people import add_member, add_person

JOBS = {"deploy": {"contexts": ["open", "prod"]}, "after": {"needs": ["deploy"]}}


class Place(msgspec.Struct):
    """A project whose organization has two contexts for everyone, `prod` and `open`."""

    lab: Lab
    project: Project
    owner: Organization
    context: str

    def restrict(self, kind: RestrictionKind, value: str) -> None:
        """The context `prod` is restricted so."""
        rules.add_restriction(self.lab.parts, SERVER, self.context, kind, value)

    def lift(self, value: str) -> None:
        """It is not restricted to that any more."""
        with self.lab.parts.db.read() as tx:
            context = contexts.context_by_uuid(tx, self.context)
            assert context is not None
            every = restrictions.restrictions_of(tx, context.id)
        [found] = [each for each in every if each.value == value]
        rules.remove_restriction(self.lab.parts, SERVER, self.context, found.uuid)

    def run(self, branch: str = "main", **revision: Fork) -> Pipeline:
        """A pipeline that somebody called ada wanted, whose job names the contexts."""
        return self.lab.trigger({"workflows": {"main": {"jobs": JOBS}}}, branch=branch, **revision)  # type: ignore[arg-type]  # only forks

    def start(
        self,
        actor: str = "ada",
        *,
        trigger: TriggerType = TriggerType.WEBHOOK,
        branch: str = "main",
        fork: Fork | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> Job:
        """The job of a pipeline that was made in another way."""
        ref = ProjectRef(organization="gh/acme", name="app", url="https://example.com/app.git")
        reserved = reserve_pipeline(self.lab.parts, ref)
        request = TriggerRequest(
            project_id=reserved.project.id,
            uuid=reserved.uuid,
            number=reserved.number,
            trigger=trigger,
            actor=actor,
            revision=Revision(sha="a" * 40, branch=branch, fork=fork),
            plan=make_plan({"language": "circleci", "workflows": {"main": {"jobs": JOBS}}}),
            source="",
            labels=labels or {},
        )
        return self.deploy(trigger_pipeline(self.lab.parts, request))

    def join(self, login: str, role: Role = Role.MEMBER) -> User:
        """Somebody new belongs to the organization."""
        user = add_person(self.lab.parts, login)
        add_member(self.lab.parts, user, self.owner, role)
        return user

    def group(self, name: str, *logins: str) -> PeopleGroup:
        """A group of these people."""
        made = create_group(self.lab.parts, SERVER, self.owner, name)
        for login in logins:
            with self.lab.parts.db.read() as tx:
                user = users.user_by_login(tx, login)
            assert user is not None
            add_group_member(self.lab.parts, SERVER, self.owner, made.uuid, user.uuid)
        return made

    def restrict_to_members(self) -> None:
        """The context is for all members of the organization and for nobody else."""
        self.restrict(RestrictionKind.GROUP, self.owner.uuid)
        self.lift(EVERYONE)

    def restrict_to(self, group: PeopleGroup) -> None:
        """The context is for that group and for no others."""
        self.restrict(RestrictionKind.GROUP, group.uuid)
        self.lift(EVERYONE)

    def deploy(self, pipeline: Pipeline) -> Job:
        """The job that names the contexts."""
        return self.lab.job(pipeline, "deploy")


def open_contexts(lab: Lab, *names: str) -> list[StoredContext]:
    """The organization of the lab's projects has these contexts, for everyone."""
    with lab.parts.db.write() as tx:
        owner = projects.ensure_organization(tx, "gh/acme", name="acme", now=1)
        made = [contexts.create_context(tx, owner.id, name, now=1) for name in names]
        for each in made:
            restrictions.add_restriction(tx, each.id, RestrictionKind.GROUP, EVERYONE, now=1)
    return made


def make_place(lab: Lab) -> Place:
    """The place, in which one pipeline has run."""
    first = lab.run({"a": None})
    lab.agent().work()
    _, prod = open_contexts(lab, "open", "prod")
    with lab.parts.db.read() as tx:
        facts = load_facts(tx, lab.workflow(first).id)
    return Place(lab=lab, project=facts.project, owner=facts.organization, context=prod.uuid)
