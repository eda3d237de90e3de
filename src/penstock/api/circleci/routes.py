"""Every address of CircleCI's API that is answered: who may call it, what goes in and what comes out."""

from typing import Any

import msgspec

from penstock.api.circleci import compile as compiling
from penstock.api.circleci import jobs, people, pipelines, projects, runners, workflows
from penstock.api.circleci import payloads as p
from penstock.api.circleci import runner_payloads as r
from penstock.api.circleci.auth import read_login, read_secret
from penstock.api.circleci.errors import show_error
from penstock.api.circleci.paging import Page, PageQuery
from penstock.api.circleci.v1 import builds, keys, output
from penstock.api.circleci.v1 import payloads as q
from penstock.api.circleci.v1 import people as callers
from penstock.api.common.dialect import Dialect
from penstock.api.common.route import PUBLIC, Handler, Route
from penstock.engine.access import Action
from penstock.engine.continuation import MOST_BYTES

SLUG = "project/{slug:3}"
SEE, RUN, SELF = Action.SEE_PROJECT, Action.RUN_PIPELINE, Action.SEE_SELF
AGENTS = Action.CHANGE_AGENTS
CREATED, ACCEPTED = 201, 202

_Query = type[msgspec.Struct] | None


def _route(  # noqa: PLR0913 - the columns of the table
    method: str,
    path: str,
    handler: Handler,
    access: str,
    answer: Any,  # noqa: ANN401 - any type
    body: Any = None,  # noqa: ANN401 - any type
    *,
    query: _Query = None,
    status: int = 200,
    limit: int | None = None,
    optional: bool = True,
    quick: bool = False,
) -> Route:
    """A row. A body may be missing, as all its fields may, unless it is said otherwise."""
    return Route(
        method=method,
        path=path,
        handler=handler,
        access=access,
        answer=answer,
        body=body,
        query=query,
        status=status,
        limit=limit,
        optional=optional and body is not None,
        quick=quick,
        summary=(handler.__doc__ or "").partition("\n")[0].rstrip("."),
    )


def _get(
    path: str,
    handler: Handler,
    access: str,
    answer: Any,  # noqa: ANN401 - any type
    query: _Query = None,
    *,
    quick: bool = False,
) -> Route:
    return _route("GET", f"/api/{path}", handler, access, answer, query=query, quick=quick)


def _list(
    path: str,
    handler: Handler,
    access: str,
    item: Any,  # noqa: ANN401 - any type
    query: _Query = PageQuery,
    *,
    quick: bool = False,
) -> Route:
    return _route("GET", f"/api/{path}", handler, access, Page[item], query=query, quick=quick)


def _post(path: str, handler: Handler, access: str, answer: Any, body: Any = None, **more: Any) -> Route:  # noqa: ANN401 - as of `_route`
    return _route("POST", f"/api/{path}", handler, access, answer, body, **more)


# fmt: off
_PEOPLE = (
    _get("v2/me", people.get_me, SELF, p.User, quick=True),
    _get("v2/me/collaborations", people.list_collaborations, SELF, list[p.Collaboration]),
    _get("v2/user/{id}", people.get_user, Action.SEE_USER, p.User),
    _get("v2/organization/{slug}", people.get_organization, Action.SEE_ORGANIZATION, p.Organization),
    _get("v2/organization/{slug:2}", people.get_organization, Action.SEE_ORGANIZATION, p.Organization),
)

_PIPELINES = (
    _list("v2/pipeline", pipelines.list_everywhere, SEE, p.Pipeline, pipelines.EverywhereQuery, quick=True),
    _post("v2/pipeline/continue", pipelines.continue_pipeline, PUBLIC, p.Message, p.ContinueBody,
          optional=False, limit=3 * MOST_BYTES),
    _get("v2/pipeline/{id}", pipelines.get_by_id, SEE, p.Pipeline, quick=True),
    _get("v2/pipeline/{id}/config", pipelines.get_config, SEE, p.PipelineConfig),
    _get("v2/pipeline/{id}/values", pipelines.get_values, SEE, dict[str, p.Simple]),
    _list("v2/pipeline/{id}/workflow", pipelines.list_workflows, SEE, p.Workflow, quick=True),
    _post(f"v2/{SLUG}/pipeline", pipelines.trigger, RUN, p.NewPipeline, p.TriggerBody, status=CREATED),
    _post(f"v2/{SLUG}/pipeline/run", pipelines.run, RUN, p.NewPipeline, p.RunBody, status=CREATED),
    _list(f"v2/{SLUG}/pipeline", pipelines.list_of_project, SEE, p.Pipeline, pipelines.ListQuery, quick=True),
    _list(f"v2/{SLUG}/pipeline/mine", pipelines.list_mine, SEE, p.Pipeline, quick=True),
    _get(f"v2/{SLUG}/pipeline/{{number}}", pipelines.get_by_number, SEE, p.Pipeline, quick=True),
)

_WORKFLOWS = (
    _get("v2/workflow/{id}", workflows.get_workflow, SEE, p.Workflow, quick=True),
    _list("v2/workflow/{id}/job", workflows.list_workflow_jobs, SEE, p.WorkflowJob),
    _post("v2/workflow/{id}/approve/{request}", workflows.approve, RUN, p.Message, status=ACCEPTED),
    _post("v2/workflow/{id}/cancel", workflows.cancel, RUN, p.Message, status=ACCEPTED),
    _post("v2/workflow/{id}/rerun", workflows.rerun, RUN, p.Rerun, p.RerunBody, status=ACCEPTED),
)

_JOBS = (
    _get("v2/jobs/{id}", jobs.get_job_by_id, SEE, p.Job),
    _post("v2/jobs/{id}/cancel", jobs.cancel_by_id, RUN, p.Message),
    _get(f"v2/{SLUG}/job/{{number}}", jobs.get_job, SEE, p.Job),
    _post(f"v2/{SLUG}/job/{{number}}/cancel", jobs.cancel_by_number, RUN, p.Message),
    _list(f"v2/{SLUG}/{{number}}/artifacts", jobs.list_artifacts, SEE, p.Artifact),
    _list(f"v2/{SLUG}/{{number}}/tests", jobs.list_tests, SEE, p.Test),
    _route("GET", jobs.DOWNLOAD, jobs.download, SEE, None),
)

_DEFINITIONS = "v2/projects/{project_id}/pipeline-definitions"
_PROJECTS = (
    _get(f"v2/{SLUG}", projects.get_project, SEE, p.Project),
    _get(_DEFINITIONS, projects.list_definitions, SEE, p.PipelineDefinitions),
    _get(f"{_DEFINITIONS}/{{id}}", projects.get_definition, SEE, p.PipelineDefinition),
)

_COMPILING = (
    _post("v2/compile-config-with-defaults", compiling.compile_with_defaults, SELF, p.Compiled,
          p.CompileBody, optional=False, limit=compiling.MOST_BYTES),
    _post("v3/configs/compile", compiling.compile_config, SELF, compiling.CompileAnswer,
          compiling.CompileRequest, optional=False, limit=compiling.MOST_BYTES),
)

_RUNNER = "v3/runner"
_RUNNERS = (
    _post(f"{_RUNNER}/resource", runners.create_class, AGENTS, r.ResourceClass, r.NewResourceClass,
          optional=False),
    _get(f"{_RUNNER}/resource", runners.list_classes, SELF, r.ResourceClasses, r.RunnersQuery),
    _route("DELETE", f"/api/{_RUNNER}/resource/{{id}}", runners.delete_class, AGENTS, p.Message),
    _route("DELETE", f"/api/{_RUNNER}/resource/{{id}}/force", runners.force_class, AGENTS, p.Message),
    _post(f"{_RUNNER}/token", runners.create_token, AGENTS, r.RunnerToken, r.NewRunnerToken, optional=False),
    _get(f"{_RUNNER}/token", runners.list_tokens, AGENTS, r.RunnerTokens, r.RunnersQuery),
    _route("DELETE", f"/api/{_RUNNER}/token/{{id}}", runners.delete_token, AGENTS, p.Message),
    _get(_RUNNER, runners.list_runners, SELF, r.Runners, r.RunnersQuery),
)

_OLD_PEOPLE = (
    _get("v1.1/me", callers.get_me, SELF, q.Me),
    _get("v1.1/projects", callers.list_projects, SELF, list[q.Project]),
    _get("v1.1/user/repos/{vcs}", callers.list_repositories, SELF, list[q.Repository], q.RepositoriesQuery),
    _get("v1.1//user/repos/{vcs}", callers.list_repositories, SELF, list[q.Repository], q.RepositoriesQuery),
    _list("private/me/followed-projects", callers.list_followed, SELF, q.FollowedProject),
    _post(f"v1.1/{SLUG}/follow", callers.follow, Action.FOLLOW_PROJECT, q.Followed),
    _post(f"v1.1/{SLUG}/unfollow", callers.unfollow, Action.FOLLOW_PROJECT, q.Followed),
)

_KEYS = f"v1.1/{SLUG}/ssh-key"
_OLD_KEYS = (
    _post(_KEYS, keys.add_key, Action.CHANGE_VARIABLES, p.Message, q.SshKeyBody, optional=False),
    _route("DELETE", f"/api/{_KEYS}", keys.remove_key, Action.CHANGE_VARIABLES, p.Message, q.SshKeyDeleteBody,
           optional=False),
)

_BUILD = f"v1.1/{SLUG}/{{number}}"
_OLD_BUILDS = (
    _get("v1.1/recent-builds", builds.list_recent, SEE, list[q.Build], q.BuildsQuery),
    _get(f"v1.1/{SLUG}", builds.list_of_project, SEE, list[q.Build], q.BuildsQuery),
    _post(f"v1.1/{SLUG}", builds.build_default, RUN, q.Build, q.TreeBody, status=CREATED),
    _get(f"v1.1/{SLUG}/tree/{{branch:rest}}", builds.list_of_project, SEE, list[q.Build], q.BuildsQuery),
    _post(f"v1.1/{SLUG}/tree/{{branch:rest}}", builds.build_branch, RUN, q.Build, q.TreeBody, status=CREATED),
    _post(f"v1.1/{SLUG}/build", builds.build_project, RUN, q.BuildCreated, q.BuildBody),
    _get(f"v1.1/{SLUG}/latest/artifacts", builds.list_latest_artifacts, SEE, list[q.Artifact], q.LatestQuery),
    _get(_BUILD, builds.get_build, SEE, q.BuildDetails),
    _post(f"{_BUILD}/retry", builds.retry, RUN, q.Build),
    _post(f"{_BUILD}/ssh", keys.refuse_ssh, RUN, p.Message),
    _post(f"{_BUILD}/ssh-users", keys.refuse_ssh, RUN, p.Message),
    _post(f"{_BUILD}/cancel", builds.cancel, RUN, q.Build),
    _get(f"{_BUILD}/artifacts", builds.list_artifacts, SEE, list[q.Artifact]),
    _get(f"{_BUILD}/tests", builds.list_tests, SEE, q.Tests),
    _get(f"{_BUILD}/output/{{step}}/{{index}}", output.read_wrapped, SEE, list[q.Output], q.OutputQuery),
    _get("private/output/raw/{slug:3}/{number}/{kind}/{index}/{step}", output.read_raw, SEE, None),
)
# fmt: on

ROUTES: tuple[Route, ...] = (
    *_PEOPLE,
    *_PIPELINES,
    *_WORKFLOWS,
    *_JOBS,
    *_PROJECTS,
    *_COMPILING,
    *_RUNNERS,
    *_OLD_PEOPLE,
    *_OLD_KEYS,
    *_OLD_BUILDS,
)

CIRCLECI = Dialect(
    name="circleci",
    title="CircleCI API v2",
    prefixes=("/api/v2", "/api/v1.1", "/api/v3", "/api/private", "/output/job"),
    routes=ROUTES,
    show_error=show_error,
    read_secret=read_secret,
    read_login=read_login,
    security={
        "header": {"type": "apiKey", "in": "header", "name": "Circle-Token"},
        "bearer": {"type": "http", "scheme": "bearer"},
        "basic": {"type": "http", "scheme": "basic"},
    },
)
