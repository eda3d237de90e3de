"""Past runs and what they printed."""

from collections.abc import Iterator

import msgspec

from penstock.engine.facts import present
from penstock.engine.unit import Parts
from penstock.engine.verdict import conclude, judge_pipeline
from penstock.kit.ids import is_id
from penstock.model.errors import NotFoundError
from penstock.model.output import Artifact, TestCase
from penstock.model.run import Job, Pipeline, StepRun, Task
from penstock.model.status import WorkflowStatus
from penstock.store import artifacts, jobs, pipelines, projects, steps, tasks, test_results, workflows
from penstock.store.database import Transaction
from penstock.store.logs import LogReader

_PAGE = 100


class PastRun(msgspec.Struct, frozen=True, kw_only=True):
    """A pipeline in a list; `outcome` is None while it has no workflow at all."""

    pipeline: Pipeline
    project: str
    outcome: WorkflowStatus | None
    jobs: int
    stopped_at: int | None


class StepLog(msgspec.Struct, frozen=True, kw_only=True):
    """Where a step's output can be read."""

    job: Job
    task: Task
    step: StepRun


def list_runs(parts: Parts, *, project: str | None = None, limit: int = 20) -> list[PastRun]:
    """Pipelines newest first, of one project by its slug or of all; none for an unknown project."""
    with parts.db.read() as tx:
        project_id = None
        if project is not None:
            known = projects.find_project(tx, project)
            if known is None:
                return []
            project_id = known.id
        found = pipelines.list_pipelines(tx, project_id=project_id, limit=limit)
        owners = {pipeline.project_id for pipeline in found}
        slugs = {owner: present(projects.get_project(tx, owner)).slug for owner in owners}
        return [_describe(parts, tx, pipeline, slugs[pipeline.project_id]) for pipeline in found]


def _describe(parts: Parts, tx: Transaction, pipeline: Pipeline, slug: str) -> PastRun:
    every = workflows.workflows_of(tx, pipeline.id)
    standing = judge_pipeline(tx, lambda row_id: parts.memory.facts(tx, row_id), pipeline.id, every)
    stops = [workflow.stopped_at for workflow in every]
    return PastRun(
        pipeline=pipeline,
        project=slug,
        outcome=conclude(pipeline, standing),
        jobs=sum(len(jobs.states_of(tx, workflow.id)) for workflow in every),
        stopped_at=max((stop for stop in stops if stop is not None), default=None),
    )


def find_run(parts: Parts, name: str, *, project: str | None = None) -> Pipeline:
    """A pipeline by UUID, the beginning of one, its number in the project, or "" for the newest.

    Raises NotFoundError when there is none.
    """
    with parts.db.read() as tx:
        if is_id(name):
            found = pipelines.pipeline_by_uuid(tx, name.lower())
        else:
            pages = _walk_pipelines(tx, project)
            found = next((each for each in pages if _is_called(each, name)), None)
    if found is None:
        raise NotFoundError(f"there is no run {name!r}" if name else "there are no runs yet")
    return found


def _walk_pipelines(tx: Transaction, project: str | None) -> Iterator[Pipeline]:
    """Every pipeline newest first, of one project by its slug or of all, a page at a time."""
    known = projects.find_project(tx, project) if project is not None else None
    if project is not None and known is None:
        return
    before: int | None = None
    while page := pipelines.list_pipelines(
        tx, project_id=known.id if known else None, before=before, limit=_PAGE
    ):
        yield from page
        before = page[-1].id


def _is_called(pipeline: Pipeline, name: str) -> bool:
    return not name or pipeline.uuid.startswith(name) or str(pipeline.number) == name


def list_logs(parts: Parts, pipeline: Pipeline, job_name: str | None = None) -> list[StepLog]:
    """The steps of the pipeline's jobs, or of the jobs of one name, in the order they were started."""
    found = []
    with parts.db.read() as tx:
        for workflow in workflows.workflows_of(tx, pipeline.id):
            for job in jobs.jobs_of(tx, workflow.id):
                if job_name in {None, job.name, job.key}:
                    found += [
                        StepLog(job=job, task=task, step=step)
                        for task in tasks.tasks_of(tx, job.id)
                        for step in steps.steps_of(tx, task.id)
                    ]
    return found


def list_job_names(parts: Parts, pipeline: Pipeline) -> list[str]:
    """The names of the pipeline's jobs."""
    with parts.db.read() as tx:
        every = workflows.workflows_of(tx, pipeline.id)
        return [job.name for workflow in every for job in jobs.jobs_of(tx, workflow.id)]


def read_log(parts: Parts, log: StepLog) -> Iterator[bytes]:
    """What the step printed, in pieces."""
    return LogReader(parts.db, parts.blobs).read(log.task.id, log.step.index)


def tail_log(parts: Parts, task_id: int, step: int, lines: int) -> str:
    """The last lines a step printed; what is no UTF-8 is replaced."""
    pieces = LogReader(parts.db, parts.blobs).tail(task_id, step, lines)
    return b"".join(pieces).decode(errors="replace")


def list_artifacts(parts: Parts, pipeline: Pipeline) -> list[tuple[Job, Artifact]]:
    """Every artifact of the pipeline with its job."""
    found: list[tuple[Job, Artifact]] = []
    with parts.db.read() as tx:
        for workflow in workflows.workflows_of(tx, pipeline.id):
            for job in jobs.jobs_of(tx, workflow.id):
                after = (-1, "")
                while page := artifacts.artifacts_of(tx, job.id, after=after):
                    found += [(job, artifact) for artifact in page]
                    after = (page[-1].task_index, page[-1].path)
    return found


def list_cases(parts: Parts, pipeline: Pipeline) -> Iterator[tuple[Job, list[TestCase]]]:
    """The test cases of each job whose last attempt reported any."""
    with parts.db.read() as tx:
        every = [
            job
            for workflow in workflows.workflows_of(tx, pipeline.id)
            for job in jobs.jobs_of(tx, workflow.id)
        ]
    for job in every:
        cases: list[TestCase] = []
        after = 0
        with parts.db.read() as tx:
            while page := test_results.cases_of(tx, job.id, attempt=job.attempt, after=after):
                cases += [case for _, case in page]
                after = page[-1][0]
        if cases:
            yield job, cases
