"""Draws a pipeline for those who watch it, with a version that tells one state from another."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from penstock.engine.decisions import list_warnings
from penstock.engine.repeat import find_origins
from penstock.engine.runs import OpenPipeline
from penstock.engine.unit import Parts
from penstock.engine.verdict import conclude, judge_pipeline
from penstock.model.diagnostic import Severity
from penstock.model.picture import JobPicture, PipelinePicture, PipelineSketch, WorkflowPicture
from penstock.model.project import Project
from penstock.model.run import Job, Pipeline, Workflow
from penstock.model.status import PipelineStatus
from penstock.store import jobs, pipelines, steps, workflows
from penstock.store.database import Transaction


def find_version(tx: Transaction, pipeline_id: int) -> str:
    """A word that is another one after each change of the pipeline, a workflow, a job or its step."""
    row = pipelines.get_pipeline(tx, pipeline_id)
    known = (row.status, row.updated_at) if row is not None else None
    found = [known, workflows.versions_of(tx, pipeline_id), steps.running_steps(tx, pipeline_id)]
    return hashlib.blake2b(msgspec.json.encode(found), digest_size=9).hexdigest()


def sketch_pipelines(
    parts: Parts,
    tx: Transaction,
    project: Project,
    *,
    branch: str = "",
    before: int | None = None,
    limit: int = 20,
) -> list[tuple[int, PipelineSketch]]:
    """The project's pipelines with their row ids, newest first, those with an id below `before`."""
    found = pipelines.list_pipelines(
        tx, project_id=project.id, branch=branch or None, before=before, limit=limit
    )
    return [
        (each.id, PipelineSketch(**_sketch(parts, tx, each, project, workflows.workflows_of(tx, each.id))))
        for each in found
    ]


def draw_pipeline(parts: Parts, tx: Transaction, found: OpenPipeline) -> PipelinePicture:
    """The pipeline as it is now; where others commit meanwhile, at least as new as its version says."""
    version = find_version(tx, found.pipeline.id)  # first: a change that comes between is then told once more
    pipeline = pipelines.get_pipeline(tx, found.pipeline.id) or found.pipeline
    every = workflows.workflows_of(tx, pipeline.id)
    repeated = {workflow.rerun_of for workflow in every}
    doing: dict[int, str] = {}
    for step in steps.running_steps(tx, pipeline.id):
        doing.setdefault(step.job_id, step.name)
    return PipelinePicture(
        **_sketch(parts, tx, pipeline, found.project, every),
        version=version,
        errors=tuple(each.message for each in pipeline.errors if each.severity is Severity.ERROR),
        workflows=tuple(_draw_workflow(tx, each, doing, repeated=each.uuid in repeated) for each in every),
    )


def _sketch(
    parts: Parts, tx: Transaction, pipeline: Pipeline, project: Project, every: Sequence[Workflow]
) -> dict[str, Any]:
    """The fields of a sketch."""
    standing = judge_pipeline(tx, lambda row_id: parts.memory.facts(tx, row_id), pipeline.id, every)
    ended = standing.ended and pipeline.status is not PipelineStatus.PENDING
    revision = pipeline.revision
    stops = [workflow.stopped_at for workflow in every if workflow.stopped_at is not None]
    return {
        "id": pipeline.uuid,
        "number": pipeline.number,
        "project": project.slug,
        "project_id": project.uuid,
        "status": pipeline.status,
        "ended": ended,
        "outcome": conclude(pipeline, standing),
        "branch": revision.branch,
        "tag": revision.tag,
        "sha": revision.sha,
        "subject": revision.subject,
        "actor": pipeline.actor,
        "trigger": pipeline.trigger,
        "created_at": pipeline.created_at,
        "stopped_at": max(stops, default=None) if ended else None,
        "warnings": list_warnings(tx, pipeline.id),
    }


def _draw_workflow(
    tx: Transaction, workflow: Workflow, doing: Mapping[int, str], *, repeated: bool
) -> WorkflowPicture:
    """The workflow; `doing` has the step each running job is at, by row id."""
    origins = find_origins(tx, workflow)
    return WorkflowPicture(
        id=workflow.uuid,
        name=workflow.name,
        status=workflow.status,
        reason=workflow.reason,
        repeated=repeated,
        created_at=workflow.created_at,
        stopped_at=workflow.stopped_at,
        jobs=tuple(
            _draw_job(job, origins.get(job.key, job), doing.get(job.id, ""))
            for job in jobs.jobs_of(tx, workflow.id)
        ),
    )


def _draw_job(job: Job, origin: Job, step: str) -> JobPicture:
    return JobPicture(
        id=origin.uuid,
        number=origin.number,
        key=job.key,
        name=job.name,
        kind=job.kind,
        status=job.status,
        reason=job.reason,
        attempt=job.attempt,
        parallelism=job.parallelism,
        message=job.message,
        step=step,
        started_at=job.started_at,
        stopped_at=job.stopped_at,
    )
