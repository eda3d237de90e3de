"""Which workflows come out of one that has ended."""

from collections.abc import Iterator

from penstock.lifecycle.effects import HoldFollowUp, StartFollowUp
from penstock.lifecycle.rollup import OUTCOME_OF_WORKFLOW
from penstock.model.status import Reason, WorkflowStatus
from penstock.plan.workflow import FollowUp, Trigger, WorkflowPlan


def choose_follow_ups(
    plan: WorkflowPlan, status: WorkflowStatus, reason: Reason
) -> Iterator[StartFollowUp | HoldFollowUp]:
    """What the engine is to make of the plan's follow-ups, in their order, after this verdict."""
    for follow_up in plan.follow_ups:
        if not is_due(follow_up, status, reason):
            continue
        match follow_up.trigger:
            case Trigger.AUTOMATIC:
                yield StartFollowUp(name=follow_up.name)
            case Trigger.HELD:
                yield HoldFollowUp(name=follow_up.name)
            case Trigger.MANUAL:
                pass


def is_due(follow_up: FollowUp, status: WorkflowStatus, reason: Reason) -> bool:
    """True when the follow-up's condition holds for a workflow that ended so."""
    outcome = OUTCOME_OF_WORKFLOW.get(status)
    return any(verdict.outcome is outcome and verdict.reason in {None, reason} for verdict in follow_up.when)
