"""What a delivery tells, read from the rows of what it is about."""

import msgspec

from penstock.engine.event_values import load_values
from penstock.engine.facts import present
from penstock.engine.links import link_pipeline, link_workflow
from penstock.model.project import Organization, Project
from penstock.model.run import Job, Workflow
from penstock.model.webhook import Delivery, Webhook, WebhookEvent
from penstock.notify.word import Story, word_body
from penstock.store import jobs, pipelines, projects, users, workflows
from penstock.store.database import Transaction
from penstock.store.removal import is_marked

NOBODY = "00000000-0000-0000-0000-000000000000"
"""The id of an actor who has no account here."""


class _Subject(msgspec.Struct, frozen=True):
    """What a delivery is about."""

    workflow: Workflow
    job: Job | None


def compose_body(tx: Transaction, base_url: str, delivery: Delivery, webhook: Webhook) -> bytes | None:
    """The body of the delivery; None when its project or what it is about is gone."""
    project = projects.get_project(tx, webhook.project_id)
    if project is None or is_marked(project):
        return None
    owner = present(projects.get_organization(tx, project.organization_id))
    if delivery.event is WebhookEvent.PING:
        return word_body(delivery, webhook, project, owner, None)
    subject = _find_subject(tx, delivery)
    return None if subject is None else _compose(tx, base_url, (delivery, webhook), (project, owner), subject)


def _compose(
    tx: Transaction,
    base_url: str,
    sent: tuple[Delivery, Webhook],
    place: tuple[Project, Organization],
    subject: _Subject,
) -> bytes:
    project, owner = place
    pipeline = present(pipelines.get_pipeline(tx, subject.workflow.pipeline_id))
    actor = users.user_by_login(tx, pipeline.actor)
    page = link_pipeline(base_url, project.slug, pipeline.number)
    story = Story(
        pipeline=pipeline,
        workflow=subject.workflow,
        job=subject.job,
        url=link_workflow(page, subject.workflow.uuid),
        actor_id=NOBODY if actor is None else actor.uuid,
        values=load_values(tx, pipeline.id),
    )
    return word_body(*sent, project, owner, story)


def _find_subject(tx: Transaction, delivery: Delivery) -> _Subject | None:
    if delivery.event is WebhookEvent.JOB_COMPLETED:
        job = jobs.job_by_uuid(tx, delivery.subject)
        return None if job is None else _Subject(present(workflows.get_workflow(tx, job.workflow_id)), job)
    workflow = workflows.workflow_by_uuid(tx, delivery.subject)
    return None if workflow is None else _Subject(workflow, None)
