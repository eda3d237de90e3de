"""What follows from the end of a workflow: an automatic rerun, and perhaps the end of its pipeline."""

from penstock.engine.feed import PipelineChanged
from penstock.engine.flow import Flow
from penstock.engine.repeat import check_repeatable, repeat_workflow
from penstock.engine.start import begin_workflow
from penstock.engine.unit import Unit
from penstock.engine.usage import note_workflow_end
from penstock.engine.verdict import conclude, judge_pipeline
from penstock.lifecycle.rerun import may_rerun_itself, rerun_failed
from penstock.model.errors import RefusedError
from penstock.model.status import WorkflowStatus
from penstock.store import pipelines, timers, workflows
from penstock.store.pipelines import PipelineChange


def end_workflow(unit: Unit, flow: Flow) -> None:
    """Drop the workflow's timers and rerun it when its plan says so; its pipeline may have ended."""
    flow.save()  # what follows reads the rows
    for group in (None, *flow.facts.graph.plan.groups):
        timers.cancel_timers(unit.tx, f"{flow.row.uuid}/{group or ''}")
    note_workflow_end(unit, flow)
    _rerun_by_itself(unit, flow)
    unit.ended.add(flow.facts.pipeline.id)


def _rerun_by_itself(unit: Unit, flow: Flow) -> None:
    """Run what failed again (CircleCI config reference: max_auto_reruns)."""
    number = flow.row.auto_rerun_number
    by_person = flow.row.rerun_of is not None and number == 0
    if may_rerun_itself(flow.facts.graph.plan, flow.state.status, number, by_person=by_person):
        try:
            check_repeatable(unit, flow)
        except RefusedError:
            return  # a setup workflow that failed after it had continued its pipeline
        rerun = rerun_failed(flow.facts.graph, flow.state)
        again = repeat_workflow(unit, flow, rerun, by=flow.row.started_by, auto_rerun_number=number + 1)
        begin_workflow(unit, again.id, newcomer=False)


def tell_pipeline(unit: Unit, pipeline_id: int) -> None:
    """Publish the pipeline's state, with its verdict once all its workflows have ended."""
    # The pipeline is changed first: of two workflows that end at the same time, the second then sees both.
    pipelines.update_pipeline(unit.tx, PipelineChange(id=pipeline_id, updated_at=unit.now))
    pipeline = pipelines.get_pipeline(unit.tx, pipeline_id)
    if pipeline is None:
        return
    every = workflows.workflows_of(unit.tx, pipeline_id)
    standing = judge_pipeline(unit.tx, unit.facts, pipeline_id, every)
    told = PipelineChanged(
        at=unit.now,
        pipeline=pipeline.uuid,
        number=pipeline.number,
        status=pipeline.status,
        ended=standing.ended,
        outcome=(conclude(pipeline, standing) or WorkflowStatus.NOT_RUN) if standing.ended else None,
    )
    unit.changes.append(told)
