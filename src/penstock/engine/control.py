"""What people ask of runs that exist: cancel, approve, rerun."""

from collections.abc import Collection

from penstock.engine.effects import settle
from penstock.engine.flow import Flow, load_flow
from penstock.engine.repeat import repeat_workflow
from penstock.engine.start import begin_workflow
from penstock.engine.transact import transact
from penstock.engine.unit import Parts, Unit
from penstock.lifecycle.events import Approved, CancelRequested, JobCancelRequested
from penstock.lifecycle.rerun import Rerun, rerun_failed, rerun_jobs, rerun_whole
from penstock.model.errors import NotFoundError
from penstock.model.run import Workflow
from penstock.model.status import Reason
from penstock.store import jobs, pipelines, workflows


def cancel_pipeline(parts: Parts, uuid: str, *, reason: Reason = Reason.USER) -> None:
    """Ask every workflow of the pipeline that has not ended to stop. Raises NotFoundError."""

    def work(unit: Unit) -> None:
        pipeline = pipelines.pipeline_by_uuid(unit.tx, uuid)
        if pipeline is None:
            raise NotFoundError(f"there is no pipeline {uuid}")
        for workflow in workflows.workflows_of(unit.tx, pipeline.id):
            if not workflow.status.is_terminal:
                cancel_flow(unit, workflow.id, reason)

    transact(parts, work)


def cancel_workflow(parts: Parts, uuid: str, *, reason: Reason = Reason.USER) -> None:
    """Ask the workflow to stop; nothing happens when it has ended. Raises NotFoundError."""
    transact(parts, lambda unit: cancel_flow(unit, _find_workflow(unit, uuid).id, reason))


def cancel_flow(unit: Unit, workflow_id: int, reason: Reason) -> None:
    """Ask the workflow to stop, inside a transaction."""
    flow = load_flow(unit, workflow_id)
    flow.apply(CancelRequested(reason=reason))
    settle(unit, flow)


def cancel_job(parts: Parts, uuid: str, *, reason: Reason = Reason.USER) -> None:
    """Ask one job to stop; its workflow goes on. Raises NotFoundError."""

    def work(unit: Unit) -> None:
        job = jobs.job_by_uuid(unit.tx, uuid)
        if job is None:
            raise NotFoundError(f"there is no job {uuid}")
        flow = load_flow(unit, job.workflow_id)
        flow.apply(JobCancelRequested(key=job.key, reason=reason))
        settle(unit, flow)

    transact(parts, work)


def approve_job(parts: Parts, uuid: str, *, by: str) -> None:
    """Let an approval pass.

    Raises NotFoundError for an unknown job, RefusedError when it is no approval or does not wait for one.
    """

    def work(unit: Unit) -> None:
        job = jobs.job_by_uuid(unit.tx, uuid)
        if job is None:
            raise NotFoundError(f"there is no job {uuid}")
        flow = load_flow(unit, job.workflow_id)
        flow.apply(Approved(key=job.key, by=by))
        settle(unit, flow)

    transact(parts, work)


def rerun_workflow(
    parts: Parts,
    uuid: str,
    *,
    from_failed: bool = False,
    chosen: Collection[str] = (),
    sparse: bool = False,
) -> Workflow:
    """Repeat a workflow that has ended: whole, from its failed jobs, or the chosen jobs by UUID.

    Returns the new workflow, which has begun unless it waits in a queue. Raises NotFoundError for an
    unknown workflow or job, RefusedError when the workflow has not ended or there is nothing to repeat.
    """

    def work(unit: Unit) -> Workflow:
        flow = load_flow(unit, _find_workflow(unit, uuid).id)
        rerun = _choose_rerun(flow, from_failed=from_failed, chosen=chosen, sparse=sparse)
        again = repeat_workflow(unit, flow, rerun)
        begun = begin_workflow(unit, again)
        settle(unit, *([begun] if begun else []))
        return again

    return transact(parts, work)


def _choose_rerun(flow: Flow, *, from_failed: bool, chosen: Collection[str], sparse: bool) -> Rerun:
    graph, state = flow.facts.graph, flow.state
    if from_failed:
        return rerun_failed(graph, state)
    if not chosen:
        return rerun_whole(graph, state)
    key_of = {uuid: key for key, (_, uuid) in flow.ids.items()}
    unknown = sorted(set(chosen) - key_of.keys())
    if unknown:
        raise NotFoundError(f"there is no job {unknown[0]} in workflow {flow.facts.name}")
    return rerun_jobs(graph, state, [key_of[uuid] for uuid in chosen], sparse=sparse)


def _find_workflow(unit: Unit, uuid: str) -> Workflow:
    workflow = workflows.workflow_by_uuid(unit.tx, uuid)
    if workflow is None:
        raise NotFoundError(f"there is no workflow {uuid}")
    return workflow
