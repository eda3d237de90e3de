"""What never changes about a workflow that exists, read once and remembered."""

from typing import TypeVar

import msgspec

from penstock.lifecycle.graph import Graph
from penstock.model.errors import NotFoundError
from penstock.model.project import Organization, Project
from penstock.model.run import Pipeline
from penstock.store import pipelines, projects, workflows
from penstock.store.database import Transaction

T = TypeVar("T")

ASKED_BY = "request"
"""The label of a pipeline with the id of the request that triggered it."""

VALUES = "event.values"
"""Label of a pipeline with what its event tells configs, as JSON; it is long, and kept in no memory."""

LOCAL_SOURCE = "local.source"
"""Label of a pipeline whose source is a copy on this machine: its path."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow's surroundings. Of `pipeline` only what is fixed at its birth may be used."""

    workflow_uuid: str
    name: str
    key: str
    workspace: str
    graph: Graph
    pipeline: Pipeline
    started_by: str
    labels: dict[str, str]
    project: Project
    organization: Organization

    @property
    def is_local(self) -> bool:
        """True for a pipeline that only its own command runs."""
        return LOCAL_SOURCE in self.labels


def present(row: T | None) -> T:
    """The row. Raises LookupError when it is missing though a foreign key says that it cannot be."""
    if row is None:
        raise LookupError("a row that others refer to is missing")
    return row


def load_facts(tx: Transaction, workflow_id: int) -> Facts:
    """The facts as the store has them. Raises NotFoundError when there is no such workflow."""
    workflow = workflows.get_workflow(tx, workflow_id)
    if workflow is None:
        raise NotFoundError(f"there is no workflow {workflow_id}")
    pipeline = present(pipelines.get_pipeline(tx, workflow.pipeline_id))
    project = present(projects.get_project(tx, pipeline.project_id))
    organization = present(projects.get_organization(tx, project.organization_id))
    labels = pipelines.load_labels(tx, pipeline.id)
    return Facts(
        workflow_uuid=workflow.uuid,
        name=workflow.name,
        key=workflow.key,
        workspace=workflow.workspace,
        graph=Graph.of(workflows.load_plan(tx, workflow_id)),
        pipeline=pipeline,
        started_by=workflow.started_by or pipeline.actor,
        labels={name: text for name, text in labels.items() if name != VALUES},
        project=project,
        organization=organization,
    )
