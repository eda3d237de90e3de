"""What a run has come to: read from the store, so that it is what everybody else will see too."""

from collections.abc import Iterator
from itertools import islice

from penstock.engine.facts import present
from penstock.engine.repeat import find_origins
from penstock.engine.start import WARNINGS
from penstock.engine.unit import Parts
from penstock.model.errors import NotFoundError
from penstock.model.output import TestOutcome
from penstock.model.run import Job, Pipeline, StepRun, Task, Workflow
from penstock.model.status import JobStatus, StepStatus
from penstock.model.summary import FailedStep, JobSummary, RunSummary, TestTotals, WorkflowSummary
from penstock.plan.resources import compute_credits
from penstock.store import artifacts, jobs, pipelines, projects, steps, tasks, test_results, workflows
from penstock.store.database import Transaction

_BAD = {TestOutcome.FAILURE, TestOutcome.ERROR}
_BROKEN = {StepStatus.FAILED, StepStatus.TIMEDOUT}
MOST_ARTIFACTS = 1000
"""Paths of artifacts that a summary lists for one job."""

MOST_FAILED = 100
"""Names of failed tests that a summary lists for one job."""


def summarize_pipeline(parts: Parts, uuid: str) -> RunSummary:
    """The summary of a pipeline as it is now. Raises NotFoundError."""
    with parts.db.read() as tx:
        pipeline = pipelines.pipeline_by_uuid(tx, uuid)
        if pipeline is None:
            raise NotFoundError(f"there is no run {uuid}")
        return _summarize(tx, pipeline)


def _summarize(tx: Transaction, pipeline: Pipeline) -> RunSummary:
    project = present(projects.get_project(tx, pipeline.project_id))
    every = workflows.workflows_of(tx, pipeline.id)
    repeated = {workflow.rerun_of for workflow in every}
    return RunSummary(
        pipeline=pipeline.uuid,
        number=pipeline.number,
        project=project.slug,
        branch=pipeline.revision.branch,
        tag=pipeline.revision.tag,
        sha=pipeline.revision.sha,
        created_at=pipeline.created_at,
        workflows=tuple(_summarize_workflow(tx, each, repeated=each.uuid in repeated) for each in every),
    )


def _summarize_workflow(tx: Transaction, workflow: Workflow, *, repeated: bool) -> WorkflowSummary:
    origins = find_origins(tx, workflow)
    return WorkflowSummary(
        uuid=workflow.uuid,
        name=workflow.name,
        repeated=repeated,
        status=workflow.status,
        reason=workflow.reason,
        jobs=tuple(
            _summarize_job(tx, job, origins.get(job.key, job)) for job in jobs.jobs_of(tx, workflow.id)
        ),
    )


def _summarize_job(tx: Transaction, job: Job, origin: Job) -> JobSummary:
    """The job; what one that a rerun kept has left was left by its origin."""
    ran = job.started_at is not None
    failed = ran and job.status not in {JobStatus.SUCCESS, JobStatus.RUNNING}
    seconds = _seconds(job)
    return JobSummary(
        uuid=job.uuid,
        number=origin.number,
        name=job.name,
        kind=job.kind,
        status=job.status,
        reason=job.reason,
        attempt=job.attempt,
        parallelism=job.parallelism,
        seconds=seconds,
        credits=None if seconds is None else _count_credits(tx, origin, seconds),
        message=job.message,
        failed_step=find_failed_step(tx, origin) if failed else None,
        tests=_total_tests(tx, origin) if ran else None,
        artifacts=tuple(islice(_list_artifacts(tx, origin), MOST_ARTIFACTS)) if ran else (),
        warnings=tuple(jobs.flags_of(tx, origin.id).get(WARNINGS, ())) if ran else (),
    )


def _seconds(job: Job) -> float | None:
    if job.started_at is None or job.stopped_at is None:
        return None
    return max(job.stopped_at - job.started_at, 0) / 1000


def _count_credits(tx: Transaction, job: Job, seconds: float) -> float | None:
    wanted = jobs.load_plan(tx, job.id).executor
    return compute_credits(wanted.resource_class, wanted.kind, seconds, job.parallelism)


def find_failed_step(tx: Transaction, job: Job) -> FailedStep | None:
    """The first step that failed for good in the job's latest attempt, by parallel copy.

    A step that was tried again failed for good only when its last try did.
    """
    for task in tasks.tasks_of(tx, job.id, attempt=job.attempt):
        last_tries = {(step.name, step.kind): step for step in steps.steps_of(tx, task.id)}
        for step in last_tries.values():
            if step.status in _BROKEN:
                return _describe_step(task, step)
    return None


def _describe_step(task: Task, step: StepRun) -> FailedStep:
    return FailedStep(
        task_id=task.id,
        index=task.index,
        step=step.index,
        name=step.name,
        exit_code=step.exit_code,
        message=step.message,
    )


def _total_tests(tx: Transaction, job: Job) -> TestTotals | None:
    counts = test_results.counts_of(tx, job.id, attempt=job.attempt)
    if not counts:
        return None
    total = sum(count.total for count in counts)
    failed = sum(count.failed for count in counts)
    skipped = sum(count.skipped for count in counts)
    failures = tuple(_list_failures(tx, job)) if failed else ()
    return TestTotals(passed=total - failed - skipped, failed=failed, skipped=skipped, failures=failures)


def _list_failures(tx: Transaction, job: Job) -> Iterator[str]:
    after, found = 0, 0
    while found < MOST_FAILED:
        page = test_results.cases_of(tx, job.id, attempt=job.attempt, after=after)
        if not page:
            return
        after = page[-1][0]
        for _, case in page:
            if case.result in _BAD and found < MOST_FAILED:
                found += 1
                yield f"{case.classname}.{case.name}" if case.classname else case.name


def _list_artifacts(tx: Transaction, job: Job) -> Iterator[str]:
    after = (-1, "")
    while page := artifacts.artifacts_of(tx, job.id, after=after):
        yield from (artifact.path for artifact in page)
        after = (page[-1].task_index, page[-1].path)
