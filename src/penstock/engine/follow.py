"""Follow-ups: workflows that come out of another one of the same pipeline."""

import msgspec

from penstock.engine.flow import Flow
from penstock.engine.start import NewWorkflow, begin_workflow, make_workflow
from penstock.engine.unit import Unit
from penstock.model.errors import NotFoundError
from penstock.plan.plan import decode_plan
from penstock.plan.workflow import FollowUp, WorkflowPlan
from penstock.store import followups, outbox, pipelines
from penstock.store.followups import FollowUpChange, FollowUpRun, FollowUpStatus

COMPILE = "compile-follow-up"
"""Kind of the letter that asks for a follow-up whose config must be fetched and compiled first."""


def make_follow_up(unit: Unit, flow: Flow, name: str, *, held: bool, actor: str = "") -> FollowUpRun:
    """Make the workflow a follow-up of the plan names, and let it begin unless it is `held`.

    A target that is a config of its own cannot be compiled inside a transaction: a letter in the outbox
    asks for it. Raises NotFoundError when the plan has no follow-up of the name.
    """
    every = flow.facts.graph.plan.follow_ups
    follow_up = next((each for each in every if each.name == name), None)
    if follow_up is None:
        raise NotFoundError(f"workflow {flow.facts.name} has no follow-up {name!r}")
    status = FollowUpStatus.HELD if held else FollowUpStatus.STARTED
    record = followups.insert_followup(unit.tx, flow.row.id, name, status=status, now=unit.now, actor=actor)
    target = _find_target(unit, flow, follow_up)
    if target is None:
        letter = {"follow_up": record.uuid, "source": follow_up.source or ""}
        outbox.append_letter(unit.tx, COMPILE, flow.row.uuid, letter, now=unit.now)
        return record
    new = NewWorkflow(key=follow_up.workflow or name, plan=target, held=held)
    workflow = make_workflow(unit, flow.facts.pipeline, new)
    followups.update_followup(unit.tx, FollowUpChange(id=record.id, target=workflow.uuid))
    if not held:
        begin_workflow(unit, workflow.id)
    return msgspec.structs.replace(record, target=workflow.uuid)


def _find_target(unit: Unit, flow: Flow, follow_up: FollowUp) -> WorkflowPlan | None:
    """The target when it is part of the pipeline's own plan."""
    if follow_up.workflow is None:
        return None
    config = pipelines.load_config(unit.tx, flow.facts.pipeline.id)
    return decode_plan(config.plan).workflows.get(follow_up.workflow) if config else None
