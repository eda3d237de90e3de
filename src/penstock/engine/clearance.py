"""Says whether a job may use the contexts it names (CircleCI docs: restrict a context).

Of a context each kind of restriction must let the job pass, and of a kind any one is enough. A context for
no group is for the administrators of its organization. What cannot be judged does not pass.
"""

from collections.abc import Collection, Iterable, Mapping

import msgspec

from penstock.engine.describe import list_pipeline_values
from penstock.engine.facts import Facts
from penstock.engine.flow import Flow
from penstock.engine.forks import is_foreign
from penstock.engine.origin import list_origin_values
from penstock.engine.rules import Judge
from penstock.engine.unit import Unit
from penstock.lifecycle.events import JobRefused
from penstock.model.access import Role, User
from penstock.model.run import TriggerType
from penstock.model.schedule import SYSTEM
from penstock.model.status import JobStatus, Reason
from penstock.store import memberships, people_groups, restrictions, users
from penstock.store.database import Transaction
from penstock.store.restrictions import EVERYONE, Restriction, RestrictionKind

_NOBODY = "whoever started the workflow"
_SSH: Mapping[str, object] = {"job.ssh.enabled": False}  # no job here lets anybody in


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What the one who started a workflow is in its organization, by the row ids of both.

    `role` is None for somebody who does not belong to it. The organization itself starts what its schedules
    start in nobody's name: it is like all its members, and in no group.
    """

    organization_id: int
    user_id: int = 0
    role: Role | None = None
    itself: bool = False


def refuse_unauthorized(unit: Unit, flow: Flow, key: str) -> bool:
    """True when the job may not use a context it names: it will never start, and its row says why.

    Nothing happens to a job that runs already.
    """
    plan = flow.facts.graph.plan.jobs[key]
    if not plan.contexts or flow.facts.is_local or flow.state.jobs[key].status.is_active:
        return False
    denial = find_denial(unit, flow.facts, plan.contexts)
    if not denial:
        return False
    flow.explain(key, denial)
    return flow.apply(JobRefused(key=key, status=JobStatus.UNAUTHORIZED, reason=Reason.UNAUTHORIZED))


def find_denial(unit: Unit, facts: Facts, names: Collection[str]) -> str:
    """Why a job of the workflow may not use one of these contexts; empty when it may use them all.

    One that does not exist may not be used: the job would miss what it asks for.
    """
    every = restrictions.restrictions_by_name(unit.tx, facts.organization.id, names)
    judge: Judge | None = None
    for name in names:
        found = every.get(name)
        if found is None:
            return f"There is no context {name} in {facts.organization.slug}."
        if facts.pipeline.revision.fork is not None:
            if not _is_for_forks(facts, found):
                return f"Context {name} is restricted, and the commit is from a fork."
            continue
        rules = choose_values(found, RestrictionKind.EXPRESSION)
        judge = judge or (make_judge(unit, facts) if rules else None)
        why = (
            _judge_project(facts, found) or _judge_group(unit.tx, facts, found) or _judge_rules(judge, rules)
        )
        if why:
            return f"Context {name} may not be used: {why}."
    return ""


def make_judge(unit: Unit, facts: Facts) -> Judge:
    """Who judges rules for the workflow's pipeline."""
    known = list_pipeline_values(unit.tx, facts.project, facts.pipeline)
    origin = list_origin_values(facts.labels, facts.pipeline.revision)
    return Judge({**known, **origin, **_SSH}, facts.pipeline.uuid, unit.parts.memory.slow_rules)


def is_in_groups(tx: Transaction, standing: Standing, organization: str, wanted: Collection[str]) -> bool:
    """True for somebody in one of these groups, and for administrators when there are none.

    `organization` is the UUID that stands for all members.
    """
    if EVERYONE in wanted:
        return True
    if not wanted:
        return standing.role is not None and standing.role.reaches(Role.ADMIN)
    if organization in wanted:
        return standing.role is not None or standing.itself
    if standing.role is None:
        return False
    return people_groups.is_in_any(tx, standing.user_id, standing.organization_id, wanted)


def choose_values(found: Iterable[Restriction], kind: RestrictionKind) -> list[str]:
    """The values of the restrictions of one kind."""
    return [each.value for each in found if each.kind is kind]


def _is_for_forks(facts: Facts, found: Iterable[Restriction]) -> bool:
    """True when a commit from a fork may name the context: strangers write both it and their login.

    One that gets no secrets at all may name what is for all members, too.
    """
    if any(each.kind is not RestrictionKind.GROUP for each in found):
        return False
    groups = choose_values(found, RestrictionKind.GROUP)
    return EVERYONE in groups or (is_foreign(facts) and facts.organization.uuid in groups)


def _judge_project(facts: Facts, found: Iterable[Restriction]) -> str:
    wanted = choose_values(found, RestrictionKind.PROJECT)
    return "it is for other projects" if wanted and facts.project.uuid not in wanted else ""


def _judge_group(tx: Transaction, facts: Facts, found: Iterable[Restriction]) -> str:
    wanted, owner = choose_values(found, RestrictionKind.GROUP), facts.organization
    if EVERYONE in wanted:
        return ""
    standing = _find_standing(tx, facts)
    if is_in_groups(tx, standing, owner.uuid, wanted):
        return ""
    if not wanted:
        return f"it is for no group, so for administrators of {owner.slug} alone"
    who = facts.started_by or _NOBODY
    outside = standing.role is None and not standing.itself
    return (
        f"{who} does not belong to {owner.slug}" if outside else f"{who} is in none of the groups it is for"
    )


def _judge_rules(judge: Judge | None, rules: Collection[str]) -> str:
    return "its rule does not hold here" if judge and rules and not any(map(judge.holds, rules)) else ""


def _find_standing(tx: Transaction, facts: Facts) -> Standing:
    owner = facts.organization.id
    if facts.started_by in {"", SYSTEM}:
        itself = facts.pipeline.trigger is TriggerType.SCHEDULE
        return Standing(organization_id=owner, itself=itself)
    user = users.user_by_login(tx, facts.started_by)
    if user is None or user.disabled_at is not None:
        return Standing(organization_id=owner)
    return Standing(organization_id=owner, user_id=user.id, role=_find_role(tx, user, owner))


def _find_role(tx: Transaction, user: User, organization_id: int) -> Role | None:
    return Role.OWNER if user.admin else memberships.role_in(tx, user.id, organization_id)
