"""Says whether a job may use the contexts it names (CircleCI docs: restrict a context).

Of a restricted context each kind of restriction must let the job pass, and of a kind any one is enough.
What cannot be judged does not pass.
"""

from collections.abc import Collection, Iterable, Mapping

from penstock.engine.describe import list_pipeline_values
from penstock.engine.facts import Facts
from penstock.engine.flow import Flow
from penstock.engine.unit import Unit
from penstock.language.circleci.expression.evaluator import MISSING, evaluate, is_truthy
from penstock.language.circleci.expression.parser import parse_expression
from penstock.language.circleci.expression.token import ExpressionError
from penstock.lifecycle.events import JobRefused
from penstock.model.status import JobStatus, Reason
from penstock.store import memberships, restrictions, users
from penstock.store.database import Transaction
from penstock.store.restrictions import Restriction, RestrictionKind

_SAYS = {
    RestrictionKind.PROJECT: "it is for other projects",
    RestrictionKind.GROUP: "{who} is in none of the groups it is for",
    RestrictionKind.EXPRESSION: "its rule does not hold here",
}
_NOBODY = "whoever started the workflow"


def refuse_unauthorized(unit: Unit, flow: Flow, key: str) -> bool:
    """True when the job may not use a context it names: it will never start, and its row says why.

    Nothing happens to a job that runs already.
    """
    plan = flow.facts.graph.plan.jobs[key]
    if not plan.contexts or flow.facts.is_local or flow.state.jobs[key].status.is_active:
        return False
    denial = find_denial(unit.tx, flow.facts, plan.contexts)
    if not denial:
        return False
    flow.explain(key, denial)
    return flow.apply(JobRefused(key=key, status=JobStatus.UNAUTHORIZED, reason=Reason.UNAUTHORIZED))


def find_denial(tx: Transaction, facts: Facts, names: Collection[str]) -> str:
    """Why a job of the workflow may not use one of these contexts; empty when it may use them all."""
    every = restrictions.restrictions_by_name(tx, facts.organization.id, names)
    for name, found in every.items():
        if facts.pipeline.revision.fork is not None:
            return f"Context {name} is restricted, and the commit is from a fork."
        failed = next((kind for kind in RestrictionKind if not _passes(tx, facts, kind, found)), None)
        if failed is not None:
            says = _SAYS[failed].format(who=facts.started_by or _NOBODY)
            return f"Context {name} may not be used: {says}."
    return ""


def _passes(tx: Transaction, facts: Facts, kind: RestrictionKind, found: Iterable[Restriction]) -> bool:
    """True when there are no restrictions of the kind, or one of them lets the workflow pass."""
    values = [each.value for each in found if each.kind is kind]
    if not values:
        return True
    match kind:
        case RestrictionKind.PROJECT:
            return facts.project.uuid in values
        case RestrictionKind.GROUP:
            return facts.organization.uuid in values and _is_member(tx, facts)
        case RestrictionKind.EXPRESSION:
            known = list_pipeline_values(tx, facts.project, facts.pipeline) | {"job.ssh.enabled": False}
            return any(_holds(rule, known) for rule in values)


def _is_member(tx: Transaction, facts: Facts) -> bool:
    """True when whoever started the workflow has an account that belongs to the organization."""
    user = users.user_by_login(tx, facts.started_by)
    if user is None or user.disabled_at is not None:
        return False
    return user.admin or memberships.role_in(tx, user.id, facts.organization.id) is not None


def _holds(rule: str, known: Mapping[str, object]) -> bool:
    """The rule's verdict; false for one that cannot be read or asks for what is not known."""
    try:
        return is_truthy(evaluate(parse_expression(rule), lambda name: known.get(name, MISSING)))
    except ExpressionError:
        return False
