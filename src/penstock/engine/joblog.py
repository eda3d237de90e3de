"""What jobs did and printed, found from the newest backwards."""

from collections.abc import Iterator

from penstock.engine.facts import present
from penstock.engine.runs import OpenJob
from penstock.engine.unit import Parts
from penstock.model.errors import NotFoundError
from penstock.model.project import Project
from penstock.model.run import Job, Pipeline, StepRun, Task, Workflow
from penstock.store import jobs, pipelines, steps, tasks, workflows
from penstock.store.database import Transaction
from penstock.store.logs import LogReader

MOST_LOOKED_AT = 1000
"""Pipelines or jobs that are looked through for some with a certain trait."""

_PAGE = 50


def newest_of_branch(tx: Transaction, project: Project, branch: str, limit: int) -> list[OpenJob]:
    """The jobs with a number of a branch's newest pipelines, newest first; at most `limit`."""
    found: list[OpenJob] = []
    before: int | None = None
    for _ in range(MOST_LOOKED_AT // _PAGE):
        page = pipelines.list_pipelines(tx, project_id=project.id, branch=branch, before=before, limit=_PAGE)
        for pipeline in page:
            found += _list_numbered(tx, project, pipeline)
            if len(found) >= limit:
                return found[:limit]
        if len(page) < _PAGE:
            break
        before = page[-1].id
    return found


def surround_jobs(tx: Transaction, found: list[Job], projects: dict[int, Project]) -> list[OpenJob]:
    """Each job with what it is part of; every workflow and pipeline is read once."""
    known: dict[int, tuple[Workflow, Pipeline]] = {}
    for job in found:
        if job.workflow_id not in known:
            workflow = present(workflows.get_workflow(tx, job.workflow_id))
            known[job.workflow_id] = (workflow, present(pipelines.get_pipeline(tx, workflow.pipeline_id)))
    return [OpenJob(job, *known[job.workflow_id], projects[job.project_id]) for job in found]


def running_jobs(tx: Transaction, project: Project, branch: str | None = None) -> list[OpenJob]:
    """The jobs with a number that have not ended, newest first."""
    found: list[Job] = []
    for workflow in workflows.open_workflows(tx, project_id=project.id, branch=branch):
        found += [
            job
            for job in jobs.jobs_of(tx, workflow.id)
            if job.number is not None and not job.status.is_terminal
        ]
    found.sort(key=lambda job: -(job.number or 0))
    return surround_jobs(tx, found, {project.id: project})


def list_copies(tx: Transaction, job: Job) -> list[tuple[Task, list[StepRun]]]:
    """The parallel copies of the job's latest attempt with the steps each has begun."""
    every = tasks.tasks_of(tx, job.id, attempt=job.attempt)
    return [(task, steps.steps_of(tx, task.id)) for task in every]


def read_output(parts: Parts, tx: Transaction, job: Job, index: int, step: int) -> Iterator[bytes]:
    """What a parallel copy of the latest attempt printed in a step, so far, in pieces.

    Raises NotFoundError when there is no such step.
    """
    for task, runs in list_copies(tx, job):
        if task.index == index and any(run.index == step for run in runs):
            return LogReader(parts.db, parts.blobs).read(task.id, step)
    raise NotFoundError("Step not found")


def _list_numbered(tx: Transaction, project: Project, pipeline: Pipeline) -> list[OpenJob]:
    found = [
        OpenJob(job, workflow, pipeline, project)
        for workflow in workflows.workflows_of(tx, pipeline.id)
        for job in jobs.jobs_of(tx, workflow.id)
        if job.number is not None
    ]
    return sorted(found, key=lambda each: -(each.job.number or 0))
