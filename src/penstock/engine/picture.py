"""Draws a pipeline for those who watch it, with a version that tells one state from another."""

import hashlib

import msgspec

from penstock.engine.repeat import find_origins
from penstock.engine.runs import OpenPipeline
from penstock.engine.unit import Parts
from penstock.engine.verdict import conclude, judge_pipeline
from penstock.model.diagnostic import Severity
from penstock.model.picture import JobPicture, PipelinePicture, WorkflowPicture
from penstock.model.run import Job, Workflow
from penstock.model.status import PipelineStatus
from penstock.store import jobs, pipelines, workflows
from penstock.store.database import Transaction


def find_version(tx: Transaction, pipeline_id: int) -> str:
    """A word that is another one after each change of the pipeline, a workflow or a job."""
    row = pipelines.get_pipeline(tx, pipeline_id)
    known = (row.status, row.updated_at) if row is not None else None
    found = [known, *workflows.versions_of(tx, pipeline_id)]
    return hashlib.blake2b(msgspec.json.encode(found), digest_size=9).hexdigest()


def draw_pipeline(parts: Parts, tx: Transaction, found: OpenPipeline) -> PipelinePicture:
    """The pipeline as it is in this transaction."""
    pipeline = pipelines.get_pipeline(tx, found.pipeline.id) or found.pipeline
    every = workflows.workflows_of(tx, pipeline.id)
    standing = judge_pipeline(tx, lambda row_id: parts.memory.facts(tx, row_id), pipeline.id, every)
    repeated = {workflow.rerun_of for workflow in every}
    revision = pipeline.revision
    return PipelinePicture(
        version=find_version(tx, pipeline.id),
        id=pipeline.uuid,
        number=pipeline.number,
        project=found.project.slug,
        project_id=found.project.uuid,
        status=pipeline.status,
        ended=standing.ended and pipeline.status is not PipelineStatus.PENDING,
        outcome=conclude(pipeline, standing),
        branch=revision.branch,
        tag=revision.tag,
        sha=revision.sha,
        subject=revision.subject,
        actor=pipeline.actor,
        created_at=pipeline.created_at,
        errors=tuple(each.message for each in pipeline.errors if each.severity is Severity.ERROR),
        workflows=tuple(_draw_workflow(tx, each, repeated=each.uuid in repeated) for each in every),
    )


def _draw_workflow(tx: Transaction, workflow: Workflow, *, repeated: bool) -> WorkflowPicture:
    origins = find_origins(tx, workflow)
    return WorkflowPicture(
        id=workflow.uuid,
        name=workflow.name,
        status=workflow.status,
        reason=workflow.reason,
        repeated=repeated,
        created_at=workflow.created_at,
        stopped_at=workflow.stopped_at,
        jobs=tuple(_draw_job(job, origins.get(job.key, job)) for job in jobs.jobs_of(tx, workflow.id)),
    )


def _draw_job(job: Job, origin: Job) -> JobPicture:
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
        started_at=job.started_at,
        stopped_at=job.stopped_at,
    )
