"""Shows jobs as the builds of v1.1; pure."""

from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import quote

from penstock.api.circleci.show import People, show_job_url, show_url
from penstock.api.circleci.times import show_millis
from penstock.api.circleci.v1 import payloads
from penstock.api.circleci.words import JOB_STATUSES, name_vcs_type
from penstock.engine.runs import OpenJob
from penstock.model.access import User
from penstock.model.project import Project
from penstock.model.run import Job, StepRun, Task
from penstock.model.slug import host_of
from penstock.model.status import JobStatus, StepStatus

_LIFECYCLES = {
    JobStatus.QUEUED: "queued",
    JobStatus.RUNNING: "running",
    JobStatus.CANCELING: "running",
    JobStatus.NOT_RUN: "not_run",
    JobStatus.SKIPPED: "not_run",
}

STEP_STATUSES: Mapping[StepStatus, str] = {status: status.value for status in StepStatus} | {
    StepStatus.SKIPPED: "not_run",
}

_BROKEN = {JobStatus.FAILED, JobStatus.TIMEDOUT, JobStatus.INFRASTRUCTURE_FAIL}
_BROKEN_STEPS = {StepStatus.FAILED, StepStatus.TIMEDOUT}


def show_me(user: User) -> payloads.Me:
    """The caller."""
    return payloads.Me(
        id=user.uuid,
        login=user.login,
        name=user.name or user.login,
        avatar_url=user.avatar_url or None,
        selected_email=user.email or None,
        all_emails=(user.email,) if user.email else (),
        admin=user.admin,
    )


def show_project(project: Project) -> payloads.Project:
    """A project that is followed."""
    username, reponame = split_slug(project)
    return payloads.Project(
        id=project.uuid,
        vcs_url=show_url(project),
        vcs_type=name_vcs_type(host_of(project.slug)),
        username=username,
        reponame=reponame,
        slug=project.slug,
        default_branch=project.default_branch,
        following=True,
        followed=True,
    )


def show_repository(project: Project, *, following: bool) -> payloads.Repository:
    """A project as the repository it is made of."""
    username, name = split_slug(project)
    return payloads.Repository(
        vcs_url=show_url(project),
        vcs_type=name_vcs_type(host_of(project.slug)),
        username=username,
        name=name,
        default_branch=project.default_branch,
        fork=False,
        following=following,
    )


def show_followed(project: Project) -> payloads.FollowedProject:
    """The same in short."""
    vcs_type = name_vcs_type(host_of(project.slug))
    return payloads.FollowedProject(id=project.uuid, name=project.name, slug=project.slug, vcs_type=vcs_type)


def split_slug(project: Project) -> tuple[str, str]:
    """Owner and name, as v1.1 has them apart."""
    _, _, rest = project.slug.partition("/")
    username, _, reponame = rest.rpartition("/")
    return username, reponame


def show_build(found: OpenJob, people: People, base_url: str) -> payloads.Build:
    """A job in a list."""
    return payloads.Build(**_describe(found, people, base_url))  # type: ignore[arg-type]  # names and types of the struct


def show_details(
    found: OpenJob,
    people: People,
    base_url: str,
    steps: Sequence[payloads.Step],
    *,
    has_artifacts: bool,
) -> payloads.BuildDetails:
    """A job alone."""
    return payloads.BuildDetails(
        **_describe(found, people, base_url),  # type: ignore[arg-type]  # names and types of the struct
        steps=tuple(steps),
        has_artifacts=has_artifacts,
        picard={"executor": {}},
        messages=tuple({"type": "error", "message": text} for text in (found.job.message,) if text),
    )


def show_steps(
    found: OpenJob, copies: Iterable[tuple[Task, Sequence[StepRun]]], base_url: str
) -> list[payloads.Step]:
    """The steps in their order, each with what the parallel copies did in it."""
    by_index: dict[int, list[tuple[Task, StepRun]]] = {}
    for task, steps in copies:
        for step in steps:
            by_index.setdefault(step.index, []).append((task, step))
    return [
        payloads.Step(
            name=runs[0][1].name,
            actions=tuple(_show_action(found, task, step, base_url) for task, step in runs),
        )
        for _, runs in sorted(by_index.items())
    ]


def _show_action(found: OpenJob, task: Task, step: StepRun, base_url: str) -> payloads.Action:
    number = found.job.number or 0
    place = f"{base_url}/api/v1.1/project/{quote(found.project.slug, safe='/')}/{number}"
    ended = step.stopped_at
    return payloads.Action(
        name=step.name,
        type=step.kind,
        index=task.index,
        step=step.index,
        status=STEP_STATUSES[step.status],
        failed=True if step.status in _BROKEN_STEPS else None,
        timedout=True if step.status is StepStatus.TIMEDOUT else None,
        canceled=True if step.status is StepStatus.CANCELED else None,
        infrastructure_fail=None,
        background=False,
        parallel=found.job.parallelism > 1,
        has_output=True,
        truncated=False,
        exit_code=step.exit_code,
        start_time=show_millis(step.started_at),
        end_time=None if ended is None else show_millis(ended),
        run_time_millis=None if ended is None else max(ended - step.started_at, 0),
        output_url=f"{place}/output/{step.index}/{task.index}",
        allocation_id=f"{found.job.uuid}-{task.index}-{task.attempt}",
        messages=(step.message,) if step.message else (),
    )


def _describe(found: OpenJob, people: People, base_url: str) -> dict[str, object]:
    """The fields of a build."""
    job = found.job
    return {
        "build_num": job.number,
        "build_url": show_job_url(found, base_url),
        "why": found.pipeline.trigger.value,
        "parallel": job.parallelism,
        "platform": "2.0",
        "fleet": "picard",
        "user": _show_user(found, people),
        "workflows": payloads.InWorkflow(
            job_name=job.name,
            job_id=job.uuid,
            workflow_id=found.workflow.uuid,
            workflow_name=found.workflow.name,
            workspace_id=found.workflow.workspace,
            upstream_job_ids=(),
        ),
        **_describe_source(found),
        **_describe_state(found.job),
    }


def _describe_source(found: OpenJob) -> dict[str, object]:
    """Of which repository and commit the build is."""
    project, revision = found.project, found.pipeline.revision
    username, reponame = split_slug(project)
    commit = payloads.Commit(
        commit=revision.sha,
        subject=revision.subject,
        body=revision.body,
        branch=revision.branch or None,
        author_name=revision.author,
        committer_name=revision.author,
    )
    return {
        "vcs_url": show_url(project),
        "vcs_type": name_vcs_type(host_of(project.slug)),
        "vcs_revision": revision.sha,
        "vcs_tag": revision.tag or None,
        "branch": commit.branch,
        "username": username,
        "reponame": reponame,
        "subject": revision.subject,
        "body": revision.body,
        "author_name": revision.author,
        "committer_name": revision.author,
        "all_commit_details": (commit,),
    }


def _describe_state(job: Job) -> dict[str, object]:
    """How far the build has come, and when."""
    begun, ended = job.started_at, job.stopped_at
    status = JOB_STATUSES[job.status]
    return {
        "lifecycle": "finished" if ended and begun else _LIFECYCLES.get(job.status, "not_running"),
        "status": status,
        "outcome": status if job.status.is_terminal and begun is not None else None,
        "failed": job.status in _BROKEN if job.status.is_terminal else None,
        "canceled": job.status is JobStatus.CANCELED,
        "timedout": job.status is JobStatus.TIMEDOUT,
        "infrastructure_fail": job.status is JobStatus.INFRASTRUCTURE_FAIL,
        "queued_at": _show(job.queued_at),
        "usage_queued_at": _show(job.queued_at),
        "start_time": _show(begun),
        "stop_time": _show(ended),
        "build_time_millis": None if begun is None or ended is None else max(ended - begun, 0),
    }


def _show_user(found: OpenJob, people: People) -> payloads.BuildUser:
    login = found.workflow.started_by or found.pipeline.actor
    user = people.get(login)
    return payloads.BuildUser(
        login=login,
        name=user.name or user.login if user else None,
        avatar_url=(user.avatar_url or None) if user else None,
        is_user=user is not None,
        vcs_type=name_vcs_type(host_of(found.project.slug)),
        id=user.uuid if user else None,
    )


def _show(instant: int | None) -> str | None:
    return None if instant is None else show_millis(instant)
