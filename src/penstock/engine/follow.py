"""Follow-ups: workflows that come out of another one of the same pipeline."""

from collections.abc import Mapping

import msgspec

from penstock.engine.facts import Facts
from penstock.engine.flow import Flow
from penstock.engine.repeat import find_first
from penstock.engine.start import NewWorkflow, begin_workflow, make_workflow
from penstock.engine.unit import Unit
from penstock.model.errors import NotFoundError
from penstock.plan.arguments import Simple, fill_arguments
from penstock.plan.plan import decode_plan
from penstock.plan.workflow import FollowUp, Start, WorkflowPlan
from penstock.store import followups, outbox, pipelines, workflows
from penstock.store.database import Transaction
from penstock.store.followups import FollowUpChange, FollowUpRun, FollowUpStatus

COMPILE = "compile-follow-up"
"""Kind of the letter that asks for a follow-up whose config must be fetched and compiled first."""


def make_follow_up(
    unit: Unit,
    flow: Flow,
    name: str,
    *,
    held: bool,
    actor: str = "",
    given: Mapping[str, Simple] | None = None,
) -> FollowUpRun:
    """Make the workflow a follow-up of the plan names, and let it begin unless it is `held`.

    A target that is a config of its own cannot be compiled inside a transaction: a letter in the outbox
    asks for it. `given` are arguments for its parameters; what is held, or starts by itself, begins with the
    defaults there are. Raises NotFoundError when the plan has no follow-up of the name, InvalidError for
    arguments it does not take.
    """
    every = flow.facts.graph.plan.follow_ups
    follow_up = next((each for each in every if each.name == name), None)
    if follow_up is None:
        raise NotFoundError(f"workflow {flow.facts.name} has no follow-up {name!r}")
    status = FollowUpStatus.HELD if held else FollowUpStatus.STARTED
    record = followups.insert_followup(
        unit.tx,
        flow.row.id,
        name,
        status=status,
        now=unit.now,
        actor=actor,
        parameters=list_defaults(follow_up) if given is None else fill_arguments(follow_up.parameters, given),
    )
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


def list_defaults(follow_up: FollowUp) -> dict[str, Simple]:
    """The arguments of a follow-up that nobody gave any."""
    return {spec.name: spec.default for spec in follow_up.parameters if spec.default is not None}


def start_held(unit: Unit, record: FollowUpRun, *, actor: str, given: Mapping[str, Simple]) -> None:
    """The held follow-up is started by the actor with these arguments. Raises InvalidError for wrong ones."""
    plan = unit.facts(record.workflow_id).graph.plan
    specs = next((each.parameters for each in plan.follow_ups if each.name == record.name), ())
    arguments = fill_arguments(specs, given)
    if followups.start_followup(unit.tx, record.id, actor=actor, now=unit.now):
        followups.update_followup(unit.tx, FollowUpChange(id=record.id, parameters=arguments))


def find_arguments(tx: Transaction, facts: Facts) -> Mapping[str, Simple]:
    """The arguments with which the workflow was started as a follow-up; its reruns have the same."""
    if facts.graph.plan.start is not Start.FOLLOW_UP:
        return {}
    every = {each.uuid: each for each in workflows.workflows_of(tx, facts.pipeline.id)}
    record = followups.followup_to(tx, find_first(every, every[facts.workflow_uuid]).uuid)
    return record.parameters if record is not None else {}


def _find_target(unit: Unit, flow: Flow, follow_up: FollowUp) -> WorkflowPlan | None:
    """The target when it is part of the pipeline's own plan."""
    if follow_up.workflow is None:
        return None
    config = pipelines.load_config(unit.tx, flow.facts.pipeline.id)
    return decode_plan(config.plan).workflows.get(follow_up.workflow) if config else None
