"""The languages a pipeline can be written in, by name, and what the engine asks of each."""

from collections.abc import Callable, Mapping

import msgspec

from penstock.language import circleci
from penstock.language.circleci.environment import Facts as CircleFacts
from penstock.language.circleci.environment import list_builtins
from penstock.language.circleci.identity import describe_job
from penstock.language.common.context import Context
from penstock.language.common.identity import Bearer, Identities
from penstock.model.errors import InvalidError
from penstock.model.project import Organization, Project
from penstock.model.run import Job, Pipeline, Task
from penstock.plan.plan import Plan
from penstock.plan.workflow import JobPlan


class TaskFacts(msgspec.Struct, frozen=True, kw_only=True):
    """All that the built-in variables of a task are made from."""

    organization: Organization
    project: Project
    pipeline: Pipeline
    workflow_uuid: str
    workspace: str
    job: Job
    plan: JobPlan
    task: Task
    upstream: tuple[str, ...] = ()  # UUIDs of the jobs it needs
    url: str = ""  # where people see the job
    previous_number: int | None = None  # of the job before it on the branch
    arguments: Mapping[str, str | int | bool] = {}  # of the follow-up that made the workflow
    continuation_key: str = ""  # of a task that may continue its pipeline


class Language(msgspec.Struct, frozen=True, kw_only=True):
    """A language: its compiler, the variables its jobs expect to find, and what tokens claim for them."""

    compile: Callable[[str | bytes, Context], Plan]
    variables: Callable[[TaskFacts], dict[str, str]]
    identities: Callable[[Bearer], Identities] = lambda _: Identities()


def find_language(name: str) -> Language:
    """The language of that name. Raises InvalidError when there is none."""
    if name not in LANGUAGES:
        raise InvalidError(f"there is no language {name!r}; there are {', '.join(LANGUAGES)}")
    return LANGUAGES[name]


def list_circle_variables(facts: TaskFacts) -> dict[str, str]:
    """CircleCI's built-in variables for a task."""
    revision = facts.pipeline.revision
    fork = revision.fork
    owner, _, name = facts.project.slug.rpartition("/")
    key = {"CIRCLE_CONTINUATION_KEY": facts.continuation_key} if facts.continuation_key else {}
    return key | list_builtins(
        CircleFacts(
            job_name=facts.job.name,
            job_number=facts.job.number or 0,
            job_id=facts.job.uuid,
            url=facts.url,
            node_index=facts.task.index,
            node_total=facts.job.parallelism,
            pipeline_id=facts.pipeline.uuid,
            workflow_id=facts.workflow_uuid,
            workspace_id=facts.workspace,
            upstream_jobs=facts.upstream,
            organization_id=facts.organization.uuid,
            project_id=facts.project.uuid,
            project_owner=owner.partition("/")[2] or owner,
            project_name=name,
            repository_url=facts.project.url,
            branch=revision.branch,
            tag=revision.tag,
            sha=revision.sha,
            username=facts.pipeline.actor,
            working_directory=facts.plan.working_directory or "~/project",
            pull_requests=(revision.pull_request,) if revision.pull_request else (),
            fork_number=fork.number if fork else None,
            fork_owner=fork.owner if fork else "",
            fork_name=fork.name if fork else "",
            previous_number=facts.previous_number,
        )
    )


LANGUAGES: Mapping[str, Language] = {
    "circleci": Language(compile=circleci.compile, variables=list_circle_variables, identities=describe_job),
}
