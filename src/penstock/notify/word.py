"""Words what happened as the body of a webhook; pure."""

from collections.abc import Mapping

import msgspec
from msgspec import UNSET

from penstock.forge.remote import without_credentials
from penstock.kit.clock import to_datetime
from penstock.model.project import Organization, Project
from penstock.model.run import Job, Pipeline, Revision, TriggerType, Workflow
from penstock.model.slug import STANDALONE, host_of, lengthen_slug
from penstock.model.status import JobStatus, WorkflowStatus
from penstock.model.webhook import Delivery, Webhook, WebhookEvent
from penstock.notify import payload

JOB_STATUSES: Mapping[JobStatus, str] = {
    JobStatus.SUCCESS: "success",
    JobStatus.FAILED: "failed",
    JobStatus.TIMEDOUT: "failed",
    JobStatus.INFRASTRUCTURE_FAIL: "failed",
    JobStatus.CANCELED: "canceled",
    JobStatus.UNAUTHORIZED: "unauthorized",
}
"""The states of jobs that are told; the vendor's webhooks have four words for them."""

WORKFLOW_STATUSES: Mapping[WorkflowStatus, str] = {
    status: status.value for status in WorkflowStatus if status.is_terminal
}

_TRIGGERS: Mapping[TriggerType, str] = {
    TriggerType.API: "api",
    TriggerType.WEBHOOK: "webhook",
    TriggerType.SCHEDULE: "scheduled_pipeline",
    TriggerType.EXPLICIT: "explicit",
    TriggerType.LOCAL: "explicit",
}

_GITLAB = "gl"
_WITHOUT_VCS = {_GITLAB, STANDALONE}
"""Hosts whose pipelines have `trigger_parameters` instead of `vcs`."""

_LONGEST = 16_384
"""Characters of a commit's message; every webhook keeps a thousand of them."""

PARAMETERS = "pipeline.trigger_parameters."
"""How the names of values begin that an event has left for these."""


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """What a webhook tells of. `url` is the workflow's page, `values` what the pipeline's event told."""

    pipeline: Pipeline
    workflow: Workflow
    job: Job | None
    url: str
    actor_id: str
    values: Mapping[str, object]


def word_body(
    delivery: Delivery, webhook: Webhook, project: Project, owner: Organization, story: Story | None
) -> bytes:
    """The body as it is sent; without a story it is a ping's."""
    body = payload.Body(
        type=delivery.event.value,
        id=delivery.uuid,
        happened_at=_show_millis(delivery.created_at),
        webhook=payload.Named(id=webhook.uuid, name=webhook.name),
        workflow=UNSET if story is None else _word_workflow(story, delivery.event),
        job=UNSET if story is None or story.job is None else _word_job(story.job),
        pipeline=UNSET if story is None else _word_pipeline(story, project),
        project=payload.Project(id=project.uuid, name=project.name, slug=lengthen_slug(project.slug)),
        organization=payload.Named(id=owner.uuid, name=owner.name),
    )
    return msgspec.json.encode(body)


def _word_workflow(story: Story, event: WebhookEvent) -> payload.Workflow:
    workflow = story.workflow
    whole = event is WebhookEvent.WORKFLOW_COMPLETED
    return payload.Workflow(
        id=workflow.uuid,
        name=workflow.name,
        status=WORKFLOW_STATUSES.get(workflow.status, workflow.status.value) if whole else UNSET,
        created_at=_show_millis(workflow.created_at),
        stopped_at=_show_maybe(workflow.stopped_at),
        url=story.url,
    )


def _word_job(job: Job) -> payload.Job:
    return payload.Job(
        id=job.uuid,
        number=job.number,
        name=job.name,
        status=JOB_STATUSES.get(job.status, job.status.value),
        started_at=_show_maybe(job.started_at),
        stopped_at=_show_maybe(job.stopped_at),
    )


def _word_pipeline(story: Story, project: Project) -> payload.Pipeline:
    pipeline, host = story.pipeline, host_of(project.slug)
    by_event = pipeline.trigger is TriggerType.WEBHOOK
    without_vcs = host in _WITHOUT_VCS
    trigger = "gitlab" if by_event and host == _GITLAB else _TRIGGERS[pipeline.trigger]
    return payload.Pipeline(
        id=pipeline.uuid,
        number=pipeline.number,
        created_at=_show_millis(pipeline.created_at),
        trigger=payload.Trigger(type=trigger),
        trigger_parameters=_word_parameters(story, project, trigger) if without_vcs else UNSET,
        vcs=UNSET if without_vcs else _word_vcs(pipeline.revision, project),
    )


def _word_vcs(revision: Revision, project: Project) -> payload.Vcs:
    url = without_credentials(project.url).removesuffix(".git")
    return payload.Vcs(
        provider_name=lengthen_slug(project.slug).partition("/")[0],
        origin_repository_url=url,
        target_repository_url=url,
        revision=revision.sha,
        commit=_word_commit(revision),
        branch=revision.branch or UNSET,
        tag=revision.tag or UNSET,
    )


def _word_commit(revision: Revision) -> payload.Commit:
    known = revision.authorship
    return payload.Commit(
        subject=revision.subject[:_LONGEST],
        body=revision.body[:_LONGEST],
        author=payload.Person(name=revision.author, email=known.email if known else ""),
        authored_at=_show_seconds(known.authored_at) if known else None,
        committer=payload.Person(
            name=known.committer if known else "", email=known.committer_email if known else ""
        ),
        committed_at=_show_seconds(known.committed_at) if known else None,
    )


def _word_parameters(story: Story, project: Project, trigger: str) -> dict[str, dict[str, str]]:
    """What is known of the commit, and what the event said of itself, all as text."""
    revision = story.pipeline.revision
    name = f"refs/heads/{revision.branch}" if revision.branch else ""
    ref = f"refs/tags/{revision.tag}" if revision.tag else name
    by_event = story.pipeline.trigger is TriggerType.WEBHOOK
    parameters = {
        "circleci": {
            "event_time": _show_millis(story.pipeline.created_at),
            "event_type": "push" if by_event else trigger,
            "trigger_type": trigger,
            "actor_id": story.actor_id,
        },
        "git": {
            "tag": revision.tag,
            "checkout_sha": revision.sha,
            "ref": ref,
            "branch": revision.branch,
            "checkout_url": without_credentials(project.url),
        },
    }
    for name, value in story.values.items():
        group, _, field = name.removeprefix(PARAMETERS).partition(".")
        if name.startswith(PARAMETERS) and field:
            parameters.setdefault(group, {})[field] = "" if value is None else str(value)
    known = revision.authorship
    if "gitlab" in parameters and known is not None:
        committed = to_datetime(known.committed_at).isoformat(timespec="seconds")
        parameters["gitlab"]["commit_timestamp"] = committed
    return parameters


def _show_millis(instant: int) -> str:
    return to_datetime(instant).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _show_seconds(instant: int) -> str:
    return to_datetime(instant).isoformat(timespec="seconds").replace("+00:00", "Z")


def _show_maybe(instant: int | None) -> str | None:
    return None if instant is None else _show_millis(instant)
