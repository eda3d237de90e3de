"""Shows what the core knows in the shapes of API v2; pure."""

from collections.abc import Iterable, Mapping

from msgspec import UNSET, UnsetType

from penstock.api.circleci import payloads
from penstock.api.circleci.times import show_maybe, show_millis, show_seconds
from penstock.api.circleci.words import (
    EXECUTORS,
    JOB_STATUSES,
    RESULTS,
    TASK_STATUSES,
    TRIGGERS,
    WORKFLOW_STATUSES,
    name_provider,
    name_vcs_type,
)
from penstock.engine.joblist import ListedJob
from penstock.engine.launch import CONFIG_FETCH
from penstock.engine.links import link_job, link_pipeline
from penstock.engine.runs import OpenJob
from penstock.forge.remote import without_credentials
from penstock.model.access import User
from penstock.model.diagnostic import Diagnostic, Severity
from penstock.model.output import Artifact, TestCase
from penstock.model.project import Organization, Project
from penstock.model.run import Pipeline, Revision, Task, Workflow
from penstock.model.schedule import SYSTEM
from penstock.model.slug import host_of
from penstock.model.status import JobKind, JobStatus, Outcome
from penstock.plan.executor import ExecutorKind
from penstock.plan.workflow import SETUP_TAG, JobPlan

NOBODY = "00000000-0000-0000-0000-000000000000"
"""The id of an actor who has no account here."""

SYSTEM_ID = "d9b3fcaa-6032-405a-8c75-40079ce33c3e"
"""The id of whom schedules run as that run as nobody in particular; clients know it."""

DEFAULT_CLASS = "medium"
_NEEDED = {Outcome.SUCCESS, Outcome.FAILED, Outcome.CANCELED}

People = Mapping[str, User]
"""Accounts by login."""


def show_user(user: User) -> payloads.User:
    """An account."""
    return payloads.User(
        id=user.uuid, login=user.login, name=user.name or user.login, avatar_url=user.avatar_url or None
    )


def show_collaboration(organization: Organization) -> payloads.Collaboration:
    """An organization one belongs to."""
    vcs_type = name_vcs_type(host_of(organization.slug))
    return payloads.Collaboration(
        id=organization.uuid,
        vcs_type=vcs_type,
        vcs_type_written=vcs_type,
        name=organization.name,
        avatar_url="",
        slug=organization.slug,
    )


def show_organization(organization: Organization) -> payloads.Organization:
    """An organization."""
    return payloads.Organization(
        id=organization.uuid,
        name=organization.name,
        slug=organization.slug,
        vcs_type=name_vcs_type(host_of(organization.slug)),
    )


def show_project(project: Project, owner: Organization) -> payloads.Project:
    """A project."""
    return payloads.Project(
        slug=project.slug,
        name=project.name,
        id=project.uuid,
        organization_name=owner.name,
        organization_slug=owner.slug,
        organization_id=owner.uuid,
        vcs_info=payloads.VcsInfo(
            vcs_url=show_url(project),
            provider=name_provider(host_of(project.slug)),
            default_branch=project.default_branch,
        ),
    )


def show_url(project: Project) -> str:
    """The repository's address as a person opens it."""
    return without_credentials(project.url).removesuffix(".git")


def show_pipeline(pipeline: Pipeline, project: Project, people: People) -> payloads.Pipeline:
    """A pipeline."""
    user = people.get(pipeline.actor)
    received = show_millis(pipeline.created_at)
    return payloads.Pipeline(
        id=pipeline.uuid,
        errors=show_errors(pipeline.errors),
        project_slug=project.slug,
        updated_at=show_millis(pipeline.updated_at),
        number=pipeline.number,
        trigger_parameters=dict(pipeline.parameters) if pipeline.parameters else UNSET,
        state=pipeline.status.value,
        created_at=received,
        trigger=payloads.Trigger(
            type=TRIGGERS[pipeline.trigger],
            received_at=received,
            actor=payloads.Actor(
                login=pipeline.actor, avatar_url=(user.avatar_url or None) if user else None
            ),
        ),
        vcs=_show_vcs(pipeline, project),
    )


def _show_vcs(pipeline: Pipeline, project: Project) -> payloads.Vcs:
    revision, url = pipeline.revision, show_url(project)
    number = revision.pull_request.rstrip("/").rpartition("/")[2] if revision.pull_request else ""
    return payloads.Vcs(
        provider_name=name_provider(host_of(project.slug)),
        target_repository_url=url,
        origin_repository_url=url,
        branch=revision.branch or UNSET,
        tag=revision.tag or UNSET,
        review_id=number or UNSET,
        review_url=revision.pull_request or UNSET,
        revision=revision.sha or None,
        commit=_show_commit(revision),
    )


def _show_commit(revision: Revision) -> payloads.Commit:
    """What the commit says; a subject without more has an empty body, as in the vendor's answers."""
    if not revision.subject:
        return payloads.Commit(subject=None, body=revision.body or None)
    return payloads.Commit(subject=revision.subject, body=revision.body)


def show_errors(findings: Iterable[Diagnostic]) -> tuple[payloads.PipelineError, ...]:
    """What is wrong with a config as one error, its messages joined by newlines."""
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    if not errors:
        return ()
    kind = CONFIG_FETCH if errors[0].code == CONFIG_FETCH else "config"
    return (payloads.PipelineError(type=kind, message="\n".join(map(word_finding, errors))),)


def word_finding(finding: Diagnostic) -> str:
    """A finding as the vendor words it: the calls that lead to it, then the message."""
    return "\n".join((*finding.scope, finding.message))


def show_new_pipeline(pipeline: Pipeline) -> payloads.NewPipeline:
    """A pipeline that was just triggered."""
    return payloads.NewPipeline(
        id=pipeline.uuid,
        state=pipeline.status.value,
        number=pipeline.number,
        created_at=show_millis(pipeline.created_at),
    )


def show_workflow(
    workflow: Workflow, pipeline: Pipeline, project: Project, people: People
) -> payloads.Workflow:
    """A workflow."""
    return payloads.Workflow(
        pipeline_id=pipeline.uuid,
        canceled_by=_find_id(people, workflow.canceled_by),
        id=workflow.uuid,
        auto_rerun_number=workflow.auto_rerun_number or UNSET,
        name=workflow.name,
        project_slug=project.slug,
        tag=SETUP_TAG if SETUP_TAG in workflow.tag.split() else UNSET,
        status=WORKFLOW_STATUSES[workflow.status],
        started_by=_find_id(people, workflow.started_by or pipeline.actor) or NOBODY,
        pipeline_number=pipeline.number,
        created_at=show_seconds(workflow.created_at),
        stopped_at=show_maybe(workflow.stopped_at),
    )


def _find_id(people: People, login: str) -> str | UnsetType:
    """The id of an account, unset for a login without one."""
    user = people.get(login)
    if user is None:
        return SYSTEM_ID if login == SYSTEM else UNSET
    return user.uuid


def show_workflow_job(listed: ListedJob, project: Project, people: People) -> payloads.WorkflowJob:
    """A job in the list of its workflow; one that a rerun kept has the id and number it had."""
    job = listed.job
    approval = job.kind is JobKind.APPROVAL
    number = listed.origin.number
    return payloads.WorkflowJob(
        canceled_by=_find_id(people, job.canceled_by) if job.status is JobStatus.CANCELED else UNSET,
        dependencies=tuple(listed.needs),
        requires={
            uuid: tuple(outcome.value for outcome in outcomes if outcome in _NEEDED)
            for uuid, outcomes in listed.needs.items()
        },
        job_number=UNSET if number is None else number,
        id=listed.origin.uuid,
        created_at=show_seconds(job.created_at),
        started_at=show_maybe(job.started_at),
        name=job.name,
        approved_by=_find_id(people, job.approved_by),
        project_slug=project.slug,
        status=JOB_STATUSES[job.status],
        type="approval" if approval else "build",
        stopped_at=show_maybe(job.stopped_at),
        approval_request_id=listed.origin.uuid if approval else UNSET,
    )


def show_job(
    found: OpenJob, owner: Organization, plan: JobPlan, tasks: Iterable[Task], base_url: str
) -> payloads.Job:
    """A job in full."""
    job, workflow, project = found.job, found.workflow, found.project
    begun, ended = job.started_at, job.stopped_at
    return payloads.Job(
        id=job.uuid,
        web_url=show_job_url(found, base_url),
        project=payloads.JobProject(
            id=project.uuid, slug=project.slug, name=project.name, external_url=show_url(project)
        ),
        parallel_runs=tuple(
            payloads.ParallelRun(index=task.index, status=TASK_STATUSES[task.status]) for task in tasks
        ),
        started_at=show_maybe(begun),
        latest_workflow=payloads.NamedId(id=workflow.uuid, name=workflow.name),
        name=job.name,
        executor=_show_executor(plan),
        parallelism=job.parallelism,
        status=JOB_STATUSES[job.status],
        number=job.number,
        pipeline=payloads.Identified(id=found.pipeline.uuid),
        duration=max(ended - begun, 0) if begun is not None and ended is not None else None,
        created_at=show_millis(job.created_at),
        messages=_show_messages(found),
        contexts=tuple(payloads.Named(name=name) for name in plan.contexts),
        organization=payloads.Named(name=owner.name),
        queued_at=show_millis(job.queued_at if job.queued_at is not None else job.created_at),
        stopped_at=show_maybe(ended),
    )


def show_job_url(found: OpenJob, base_url: str) -> str:
    """Where a person looks at the job."""
    pipeline = link_pipeline(base_url, found.project.slug, found.pipeline.number)
    return link_job(pipeline, found.workflow.uuid, found.job.number or found.job.uuid)


def _show_executor(plan: JobPlan) -> payloads.JobExecutor:
    executor = plan.executor
    runs = executor.kind is not ExecutorKind.NONE
    return payloads.JobExecutor(
        resource_class=executor.resource_class or DEFAULT_CLASS,
        type=EXECUTORS[executor.kind] if runs else UNSET,
    )


def _show_messages(found: OpenJob) -> tuple[payloads.JobMessage, ...]:
    job = found.job
    if not job.message:
        return ()
    return (payloads.JobMessage(type="error", message=job.message, reason=job.reason.value or UNSET),)


def show_artifact(artifact: Artifact, url: str) -> payloads.Artifact:
    """A file that a job kept."""
    return payloads.Artifact(path=artifact.path, node_index=artifact.task_index, url=url)


def show_test(case: TestCase) -> payloads.Test:
    """A test that a job ran."""
    return payloads.Test(
        message=case.message,
        source=case.source,
        run_time=case.seconds,
        file=case.file,
        result=RESULTS[case.result],
        name=case.name,
        classname=case.classname,
    )
