"""The lines in which workflows wait for each other, and what a newcomer does to those before it."""

from penstock.engine.facts import Facts
from penstock.engine.flow import Flow, load_flow
from penstock.engine.unit import Unit
from penstock.lifecycle.admission import InLine, find_pushed_out
from penstock.lifecycle.events import CancelRequested
from penstock.model.status import Reason
from penstock.plan.workflow import QueueRule, QueueScope
from penstock.store import locks
from penstock.store.locks import LockOwner

LINE = "queue:"
"""What the name of the lock behind a line of workflows begins with."""


def enter_line(unit: Unit, workflow_id: int, *, newcomer: bool) -> bool:
    """Take the workflow's place in its line; True when it may begin now.

    Whoever is first in a line holds its lock. One that waits for nobody stands in the line all the same,
    since others wait for it. A newcomer, unlike a rerun, asks older ones to stop as its rule says.
    """
    facts = unit.facts(workflow_id)
    rule = facts.graph.plan.queue
    if rule is None:
        return True
    owner = _name_owner(facts, rule, workflow_id)
    first = locks.acquire_lock(unit.tx, owner, now=unit.now)
    if newcomer and (rule.cancel_queued or rule.cancel_running):
        _push_out(unit, rule, owner)
    return first or not rule.serialized


def _push_out(unit: Unit, rule: QueueRule, owner: LockOwner) -> None:
    """Ask those to stop that came before and are not wanted any more (reason strategy)."""
    entries = locks.list_entries(unit.tx, owner.organization_id, owner.name)
    older = [
        load_flow(unit, entry.workflow_id) for entry in entries if entry.workflow_id != owner.workflow_id
    ]
    unwanted = find_pushed_out(rule, [_describe(flow) for flow in older])
    for flow in older:
        if flow.row.id in unwanted:
            flow.apply(CancelRequested(reason=Reason.STRATEGY))


def _describe(flow: Flow) -> InLine:
    return InLine(id=flow.row.id, status=flow.state.status, begun=flow.state.begun)


def _name_owner(facts: Facts, rule: QueueRule, workflow_id: int) -> LockOwner:
    scope = facts.project.uuid if rule.scope is QueueScope.PROJECT else facts.organization.uuid
    name = f"{LINE}{scope}:{rule.name}"
    return LockOwner(organization_id=facts.organization.id, name=name, workflow_id=workflow_id)
