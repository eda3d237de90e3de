"""Pipelines, workflows and jobs as callers name them: found only by those who may know of them."""

import msgspec

from penstock.engine.access import Action
from penstock.engine.facts import present
from penstock.engine.lookup import open_project_of
from penstock.engine.principal import Principal
from penstock.kit.ids import is_id
from penstock.model.errors import InvalidError, NotFoundError
from penstock.model.project import Project
from penstock.model.run import Job, Pipeline, Workflow
from penstock.store import jobs, pipelines, workflows
from penstock.store.database import Transaction


class OpenPipeline(msgspec.Struct, frozen=True):
    """A pipeline and the project it is of."""

    pipeline: Pipeline
    project: Project


class OpenWorkflow(msgspec.Struct, frozen=True):
    """A workflow and what it is part of."""

    workflow: Workflow
    pipeline: Pipeline
    project: Project


class OpenJob(msgspec.Struct, frozen=True):
    """A job and what it is part of."""

    job: Job
    workflow: Workflow
    pipeline: Pipeline
    project: Project


def open_pipeline(tx: Transaction, by: Principal, action: Action, uuid: str) -> OpenPipeline:
    """The pipeline of that UUID, in whose project the principal may do this.

    Raises InvalidError for what is no UUID, NotFoundError for one the principal may not know of, and
    ForbiddenError.
    """
    found = pipelines.pipeline_by_uuid(tx, read_id(uuid))
    if found is None:
        raise _unknown("Pipeline")
    return OpenPipeline(found, _open_owner(tx, by, action, found.project_id, "Pipeline"))


def open_numbered(tx: Transaction, project: Project, number: int) -> OpenPipeline:
    """The pipeline of that number. Raises NotFoundError."""
    found = pipelines.pipeline_by_number(tx, project.id, number)
    if found is None:
        raise _unknown("Pipeline")
    return OpenPipeline(found, project)


def open_workflow(tx: Transaction, by: Principal, action: Action, uuid: str) -> OpenWorkflow:
    """The workflow of that UUID. Raises as `open_pipeline` does."""
    found = workflows.workflow_by_uuid(tx, read_id(uuid))
    if found is None:
        raise _unknown("Workflow")
    pipeline = present(pipelines.get_pipeline(tx, found.pipeline_id))
    return OpenWorkflow(found, pipeline, _open_owner(tx, by, action, pipeline.project_id, "Workflow"))


def open_job(tx: Transaction, by: Principal, action: Action, uuid: str) -> OpenJob:
    """The job of that UUID. Raises as `open_pipeline` does."""
    found = jobs.job_by_uuid(tx, read_id(uuid))
    if found is None:
        raise _unknown("Job")
    project = _open_owner(tx, by, action, found.project_id, "Job")
    return _surround(tx, found, project)


def open_numbered_job(tx: Transaction, project: Project, number: int) -> OpenJob:
    """The job of that number in the project. Raises NotFoundError."""
    found = jobs.job_by_number(tx, project.id, number)
    if found is None:
        raise _unknown("Job")
    return _surround(tx, found, project)


def read_id(text: str) -> str:
    """The UUID in the spelling that is stored. Raises InvalidError for what is none."""
    if not is_id(text):
        raise InvalidError("that is no UUID")
    return text.lower()


def _surround(tx: Transaction, job: Job, project: Project) -> OpenJob:
    workflow = present(workflows.get_workflow(tx, job.workflow_id))
    return OpenJob(job, workflow, present(pipelines.get_pipeline(tx, workflow.pipeline_id)), project)


def _open_owner(tx: Transaction, by: Principal, action: Action, project_id: int, what: str) -> Project:
    """The project; when it is none of the principal's business, neither is what is in it."""
    try:
        return open_project_of(tx, by, action, project_id)
    except NotFoundError as error:
        raise _unknown(what) from error


def _unknown(what: str) -> NotFoundError:
    return NotFoundError(f"{what} not found")
