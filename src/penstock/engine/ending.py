"""What follows from the end of a workflow: an automatic rerun, and perhaps the end of its pipeline."""

from penstock.engine.feed import PipelineChanged
from penstock.engine.flow import Flow
from penstock.engine.repeat import repeat_workflow
from penstock.engine.start import begin_workflow
from penstock.engine.unit import Unit
from penstock.lifecycle.rerun import may_rerun_itself, rerun_failed
from penstock.lifecycle.rollup import roll_up_workflows
from penstock.model.run import Workflow
from penstock.store import followups, pipelines, timers, workflows
from penstock.store.pipelines import PipelineChange


def end_workflow(unit: Unit, flow: Flow) -> list[Flow]:
    """Drop the workflow's timers, rerun it when its plan says so, and tell when its pipeline has ended.

    Returns flows that have begun because of it.
    """
    flow.save()  # what follows reads the rows
    for group in (None, *flow.facts.graph.plan.groups):
        timers.cancel_timers(unit.tx, f"{flow.row.uuid}/{group or ''}")
    begun = _rerun_by_itself(unit, flow)
    tell_pipeline(unit, flow.facts.pipeline.id)
    return begun


def _rerun_by_itself(unit: Unit, flow: Flow) -> list[Flow]:
    """Run what failed again (CircleCI config reference: max_auto_reruns)."""
    number = flow.row.auto_rerun_number
    by_person = flow.row.rerun_of is not None and number == 0
    if not may_rerun_itself(flow.facts.graph.plan, flow.state.status, number, by_person=by_person):
        return []
    rerun = rerun_failed(flow.facts.graph, flow.state)
    again = repeat_workflow(unit, flow, rerun, auto_rerun_number=number + 1)
    begun = begin_workflow(unit, again)
    return [begun] if begun else []


def tell_pipeline(unit: Unit, pipeline_id: int) -> None:
    """Publish the pipeline's state, with its verdict once all its workflows have ended."""
    pipeline = pipelines.get_pipeline(unit.tx, pipeline_id)
    if pipeline is None:
        return
    pipelines.update_pipeline(unit.tx, PipelineChange(id=pipeline_id, updated_at=unit.now))
    final = final_workflows(unit, workflows.workflows_of(unit.tx, pipeline_id))
    ended = all(workflow.status.is_terminal for workflow, _ in final)
    outcome = roll_up_workflows((workflow.status, counts) for workflow, counts in final) if ended else None
    unit.changes.append(
        PipelineChanged(
            at=unit.now,
            pipeline=pipeline.uuid,
            number=pipeline.number,
            status=pipeline.status,
            ended=ended,
            outcome=outcome,
        )
    )


def final_workflows(unit: Unit, every: list[Workflow]) -> list[tuple[Workflow, bool]]:
    """The workflows that make up the pipeline's verdict, each with whether it counts.

    A workflow that was rerun has handed its verdict on. One that a follow-up made counts as its plan says.
    """
    rerun = {workflow.rerun_of for workflow in every}
    return [(workflow, _counts(unit, workflow)) for workflow in every if workflow.uuid not in rerun]


def _counts(unit: Unit, workflow: Workflow) -> bool:
    made_by = followups.followup_to(unit.tx, workflow.uuid)
    if made_by is None:
        return True
    parent = unit.parts.memory.facts(unit.tx, made_by.workflow_id)
    return all(each.counts for each in parent.graph.plan.follow_ups if each.name == made_by.name)
