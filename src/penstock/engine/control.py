"""What people ask of runs that exist: cancel, approve, start, rerun."""

from collections.abc import Collection, Mapping
from types import MappingProxyType

from penstock.engine.effects import settle
from penstock.engine.flow import Flow, load_flow
from penstock.engine.follow import make_follow_up, start_held
from penstock.engine.repeat import check_repeatable, repeat_workflow
from penstock.engine.start import KEPT_FROM, begin_workflow
from penstock.engine.transact import transact
from penstock.engine.unit import Parts, Unit
from penstock.lifecycle.events import Approved, CancelRequested, JobCancelRequested
from penstock.lifecycle.rerun import Rerun, rerun_failed, rerun_jobs, rerun_whole
from penstock.model.errors import InvalidError, NotFoundError, RefusedError
from penstock.model.run import Workflow
from penstock.model.status import JobKind, JobStatus, Reason, WorkflowStatus
from penstock.plan.arguments import Simple
from penstock.store import followups, jobs, pipelines, workflows
from penstock.store.followups import FollowUpRun
from penstock.store.workflows import WorkflowChange

_STOPPED = {JobStatus.CANCELING, JobStatus.CANCELED}

NOTHING: Mapping[str, Simple] = MappingProxyType({})


def cancel_pipeline(parts: Parts, uuid: str, *, by: str = "", reason: Reason = Reason.USER) -> None:
    """Ask every workflow of the pipeline that has not ended to stop. Raises NotFoundError."""

    def work(unit: Unit) -> None:
        pipeline = pipelines.pipeline_by_uuid(unit.tx, uuid)
        if pipeline is None:
            raise NotFoundError(f"there is no pipeline {uuid}")
        for workflow in workflows.workflows_of(unit.tx, pipeline.id):
            if not workflow.status.is_terminal:
                _stop(unit, workflow.id, CancelRequested(reason=reason), by)
        settle(unit)

    transact(parts, work)


def cancel_workflow(parts: Parts, uuid: str, *, by: str = "", reason: Reason = Reason.USER) -> None:
    """Ask the workflow to stop; nothing happens when it has ended. Raises NotFoundError.

    `by` is the login of the person who asks for it, as everywhere here; empty when nobody does.
    """

    def work(unit: Unit) -> None:
        _stop(unit, _find_workflow(unit, uuid).id, CancelRequested(reason=reason), by)
        settle(unit)

    transact(parts, work)


def cancel_job(parts: Parts, uuid: str, *, by: str = "", reason: Reason = Reason.USER) -> None:
    """Ask one job to stop; its workflow goes on. Raises NotFoundError."""

    def work(unit: Unit) -> None:
        job = jobs.job_by_uuid(unit.tx, uuid)
        if job is None:
            raise NotFoundError(f"there is no job {uuid}")
        _stop(unit, job.workflow_id, JobCancelRequested(key=job.key, reason=reason), by)
        settle(unit)

    transact(parts, work)


def approve_job(parts: Parts, uuid: str, *, by: str) -> None:
    """Let an approval pass; nothing happens when somebody was first.

    Raises NotFoundError for an unknown job, RefusedError when it is no approval, does not wait for one yet,
    or ended otherwise.
    """

    def work(unit: Unit) -> None:
        job = jobs.job_by_uuid(unit.tx, uuid)
        if job is None:
            raise NotFoundError(f"there is no job {uuid}")
        flow = load_flow(unit, job.workflow_id)
        status = flow.state.jobs[job.key].status
        if job.kind is not JobKind.APPROVAL:
            raise RefusedError(f"Job {job.name} is no approval")
        if status.is_terminal and status is not JobStatus.SUCCESS:
            raise RefusedError(f"Approval {job.name} is {status}: it is too late to approve it")
        flow.apply(Approved(key=job.key, by=by))
        settle(unit)

    transact(parts, work)


def start_workflow(parts: Parts, uuid: str, *, by: str, parameters: Mapping[str, Simple] = NOTHING) -> None:
    """Let a workflow begin that is held for a person, or have it wait in its line.

    `parameters` are for a follow-up that takes some. Nothing happens when it has begun. Raises
    NotFoundError for an unknown workflow, RefusedError when nobody is asked to start it, InvalidError for
    parameters it does not take.
    """

    def work(unit: Unit) -> None:
        flow = load_flow(unit, _find_workflow(unit, uuid).id)
        if flow.state.begun:
            return
        if flow.state.status is not WorkflowStatus.ON_HOLD:
            raise RefusedError(f"Workflow {flow.facts.name} is {flow.state.status}: nobody needs to start it")
        record = followups.followup_to(unit.tx, uuid)
        if record is not None:
            start_held(unit, record, actor=by, given=parameters)
        elif parameters:
            raise InvalidError(f"Workflow {flow.facts.name} takes no parameters")
        begin_workflow(unit, flow.row.id)
        settle(unit)

    transact(parts, work)


def start_follow_up(
    parts: Parts, uuid: str, name: str, *, by: str, parameters: Mapping[str, Simple] = NOTHING
) -> FollowUpRun:
    """Make a follow-up of the workflow and let it begin, whatever its condition says.

    Raises NotFoundError for an unknown workflow or follow-up, InvalidError for parameters it does not take
    or needs and does not get.
    """

    def work(unit: Unit) -> FollowUpRun:
        flow = load_flow(unit, _find_workflow(unit, uuid).id)
        record = make_follow_up(unit, flow, name, held=False, actor=by, given=parameters)
        settle(unit)
        return record

    return transact(parts, work)


def rerun_workflow(
    parts: Parts,
    uuid: str,
    *,
    by: str = "",
    from_failed: bool = False,
    chosen: Collection[str] = (),
    sparse: bool = False,
    failed_tests: bool = False,
) -> Workflow:
    """Repeat a workflow that has ended: whole, from its failed jobs, or the chosen jobs by UUID.

    With `failed_tests` jobs that use `circleci tests run` run only the tests that failed in them.
    Returns the new workflow, which has begun unless it waits in a queue. Raises NotFoundError for an
    unknown workflow or job, RefusedError when the workflow has not ended, may not run again, or there is
    nothing to repeat.
    """

    def work(unit: Unit) -> Workflow:
        flow = load_flow(unit, _find_workflow(unit, uuid).id)
        check_repeatable(unit, flow)
        rerun = _choose_rerun(flow, from_failed=from_failed, chosen=chosen, sparse=sparse)
        again = repeat_workflow(unit, flow, rerun, by=by, failed_tests=failed_tests)
        begin_workflow(unit, again.id, newcomer=False)
        settle(unit)
        return again

    return transact(parts, work)


def _choose_rerun(flow: Flow, *, from_failed: bool, chosen: Collection[str], sparse: bool) -> Rerun:
    graph, state = flow.facts.graph, flow.state
    if from_failed:
        return rerun_failed(graph, state)
    if not chosen:
        return rerun_whole(graph, state)
    key_of = {uuid: key for key, (_, uuid) in flow.ids.items()}
    key_of |= {flags[KEPT_FROM]: key for key, flags in flow.flags.items() if KEPT_FROM in flags}
    unknown = sorted(set(chosen) - key_of.keys())
    if unknown:
        raise NotFoundError(f"there is no job {unknown[0]} in workflow {flow.facts.name}")
    return rerun_jobs(graph, state, [key_of[uuid] for uuid in chosen], sparse=sparse)


def _stop(unit: Unit, workflow_id: int, event: CancelRequested | JobCancelRequested, by: str) -> None:
    """The workflow hears of the wish; whatever stops because of it remembers whose it was."""
    flow = load_flow(unit, workflow_id)
    before = flow.state
    if not flow.apply(event) or not by:
        return
    for key, job in flow.state.jobs.items():
        if job.status in _STOPPED and before.jobs[key].status not in _STOPPED:
            flow.change_of(key).canceled_by = by
    if isinstance(event, CancelRequested):
        workflows.update_workflow(unit.tx, WorkflowChange(id=workflow_id, canceled_by=by))


def _find_workflow(unit: Unit, uuid: str) -> Workflow:
    workflow = workflows.workflow_by_uuid(unit.tx, uuid)
    if workflow is None:
        raise NotFoundError(f"there is no workflow {uuid}")
    return workflow
