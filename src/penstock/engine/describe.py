"""Describes a pipeline as configs and rules may ask about it."""

from penstock.engine.event_values import load_values
from penstock.language.circleci.pipeline import PipelineFacts, list_values
from penstock.model.project import Project
from penstock.model.run import Pipeline, Revision, TriggerType
from penstock.store.database import Transaction

_SOURCES = {TriggerType.WEBHOOK: "webhook", TriggerType.SCHEDULE: "scheduled_pipeline"}


def describe_pipeline(
    project: Project, revision: Revision, trigger: TriggerType, uuid: str, number: int
) -> PipelineFacts:
    """What a config may ask about the pipeline."""
    return PipelineFacts(
        id=uuid,
        number=number,
        project_slug=project.slug,
        project_url=project.url,
        branch=revision.branch,
        tag=revision.tag,
        sha=revision.sha,
        base=revision.base,
        default_branch=project.default_branch,
        subject=revision.subject,
        body=revision.body,
        author=revision.author,
        trigger=_SOURCES.get(trigger, "api"),
    )


def list_pipeline_values(
    tx: Transaction, project: Project, pipeline: Pipeline
) -> dict[str, str | int | bool | None]:
    """The values of a stored pipeline by their full names, those its event told too; None is unknown."""
    facts = describe_pipeline(project, pipeline.revision, pipeline.trigger, pipeline.uuid, pipeline.number)
    return list_values(facts) | load_values(tx, pipeline.id)
