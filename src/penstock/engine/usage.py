"""Notes what job runs used, in the transactions that end them: it outlives the pipelines."""

from collections.abc import Sequence
from statistics import median_low

from penstock.engine.flow import Flow
from penstock.engine.outputs import Place
from penstock.engine.unit import Unit
from penstock.model.run import Job
from penstock.model.status import JobStatus
from penstock.model.usage import Used
from penstock.store import jobs, usage
from penstock.store.usage import Span, UsageRun, UsageWorkflow


def note_ended(unit: Unit, place: Place, verdict: JobStatus, at: int) -> None:
    """The attempt, of which the task of the place was the last to end, is kept as a run of its job."""
    task, job = place.task, place.job
    if job.started_at is None or place.flow.facts.is_local:
        return
    if job.parallelism > 1:
        spans: Sequence[Span] = usage.spans_of(unit.tx, job.id, attempt=task.attempt)
    else:
        begun, used = place.change.started_at, place.change.used
        span = Span(
            started_at=begun if isinstance(begun, int) else task.started_at,
            stopped_at=at,
            used=used if isinstance(used, Used) else None,
        )
        spans = (span,)
    _note(unit, place.flow, job, spans, (verdict, at))


def note_stopped(unit: Unit, flow: Flow, key: str, attempt: int, verdict: JobStatus) -> None:
    """The same for an attempt that ended with copies nobody had begun, if others had run before."""
    job_id, _ = flow.ids[key]
    job = None if flow.facts.is_local else jobs.get_job(unit.tx, job_id)
    if job is not None and job.started_at is not None:
        spans = usage.spans_of(unit.tx, job_id, attempt=attempt)
        _note(unit, flow, job, spans, (verdict, unit.now))


def note_workflow_end(unit: Unit, flow: Flow) -> None:
    """The runs of the workflow know how it ended."""
    if flow.facts.is_local:
        return
    ended = max(unit.now, flow.row.started_at or flow.row.created_at)
    usage.end_workflow(unit.tx, flow.row.id, status=flow.state.status, stopped_at=ended)


def _note(unit: Unit, flow: Flow, job: Job, spans: Sequence[Span], end: tuple[JobStatus, int]) -> None:
    facts = flow.facts
    executor = facts.graph.plan.jobs[job.key].executor
    verdict, at = end
    begun = job.started_at or at
    usage.note_workflow(unit.tx, describe_workflow(flow, job))
    run = UsageRun(
        organization_id=facts.organization.id,
        workflow_id=flow.row.id,
        job=job.uuid,
        number=job.number,
        name=job.name,
        status=verdict,
        resource_class=executor.resource_class,
        executor=executor.kind,
        parallelism=job.parallelism,
        queued_at=job.queued_at,
        started_at=begun,
        stopped_at=max(at, begun),
        worked=sum(measure_span(each, at) for each in spans),
        used=combine_used([each.used for each in spans if each.used is not None]),
    )
    usage.note_run(unit.tx, run)


def describe_workflow(flow: Flow, job: Job) -> UsageWorkflow:
    """What the runs of the workflow have in common, as the job tells when its jobs began."""
    facts = flow.facts
    pipeline, project = facts.pipeline, facts.project
    return UsageWorkflow(
        id=flow.row.id,
        organization_id=facts.organization.id,
        uuid=facts.workflow_uuid,
        name=facts.name,
        project=project.uuid,
        project_name=project.name,
        project_slug=project.slug,
        url=project.url,
        project_created_at=project.created_at,
        branch=pipeline.revision.branch,
        pipeline=pipeline.uuid,
        pipeline_number=pipeline.number,
        pipeline_created_at=pipeline.created_at,
        trigger=pipeline.trigger,
        actor=pipeline.actor,
        queued_at=job.queued_at,
        started_at=job.started_at,
    )


def measure_span(span: Span, at: int) -> int:
    """Milliseconds that the copy ran, of one that has not said when it ended until the instant."""
    if span.started_at is None:
        return 0
    return max((at if span.stopped_at is None else span.stopped_at) - span.started_at, 0)


def combine_used(copies: Sequence[Used]) -> Used | None:
    """How busy parallel copies were together: the middle one's medians, the busiest one's maxima."""
    if not copies:
        return None
    return Used(
        cpu_median=median_low(each.cpu_median for each in copies),
        cpu_max=max(each.cpu_max for each in copies),
        ram_median=median_low(each.ram_median for each in copies),
        ram_max=max(each.ram_max for each in copies),
    )
