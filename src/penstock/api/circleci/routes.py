"""Every address of CircleCI's API that is answered: who may call it, what goes in and what comes out."""

from penstock.api.circleci import compile as compiling
from penstock.api.circleci import jobs, people, pipelines, projects, runners, workflows
from penstock.api.circleci import payloads as p
from penstock.api.circleci import runner_payloads as r
from penstock.api.circleci.auth import read_login, read_secret
from penstock.api.circleci.errors import show_bare_error, show_error
from penstock.api.circleci.platform.routes import PLATFORM
from penstock.api.circleci.rows import delete, get, get_list, post, row
from penstock.api.circleci.v1 import builds, keys, output
from penstock.api.circleci.v1 import payloads as q
from penstock.api.circleci.v1 import people as callers
from penstock.api.common.dialect import Dialect
from penstock.api.common.route import PUBLIC, Route
from penstock.engine.access import Action
from penstock.engine.continuation import MOST_BYTES

SLUG = "project/{slug:3}"
SEE, RUN, SELF = Action.SEE_PROJECT, Action.RUN_PIPELINE, Action.SEE_SELF
AGENTS = Action.CHANGE_AGENTS
CREATED, ACCEPTED = 201, 202

# fmt: off
_PEOPLE = (
    get("v2/me", people.get_me, SELF, p.User, quick=True),
    get("v2/me/collaborations", people.list_collaborations, SELF, list[p.Collaboration]),
    get("v2/user/{id}", people.get_user, Action.SEE_USER, p.User),
    get("v2/organization/{slug}", people.get_organization, Action.SEE_ORGANIZATION, p.Organization),
    get("v2/organization/{slug:2}", people.get_organization, Action.SEE_ORGANIZATION, p.Organization),
)

_PIPELINES = (
    get_list("v2/pipeline", pipelines.list_everywhere, SEE, p.Pipeline, pipelines.EverywhereQuery,
             quick=True),
    post("v2/pipeline/continue", pipelines.continue_pipeline, PUBLIC, p.Message, p.ContinueBody,
          optional=False, limit=3 * MOST_BYTES),
    get("v2/pipeline/{id}", pipelines.get_by_id, SEE, p.Pipeline, quick=True),
    get("v2/pipeline/{id}/config", pipelines.get_config, SEE, p.PipelineConfig),
    get("v2/pipeline/{id}/values", pipelines.get_values, SEE, dict[str, p.Simple]),
    get_list("v2/pipeline/{id}/workflow", pipelines.list_workflows, SEE, p.Workflow, quick=True),
    post(f"v2/{SLUG}/pipeline", pipelines.trigger, RUN, p.NewPipeline, p.TriggerBody, status=CREATED),
    post(f"v2/{SLUG}/pipeline/run", pipelines.run, RUN, p.NewPipeline, p.RunBody, status=CREATED),
    get_list(f"v2/{SLUG}/pipeline", pipelines.list_of_project, SEE, p.Pipeline, pipelines.ListQuery,
             quick=True),
    get_list(f"v2/{SLUG}/pipeline/mine", pipelines.list_mine, SEE, p.Pipeline, quick=True),
    get(f"v2/{SLUG}/pipeline/{{number}}", pipelines.get_by_number, SEE, p.Pipeline, quick=True),
)

_WORKFLOWS = (
    get("v2/workflow/{id}", workflows.get_workflow, SEE, p.Workflow, quick=True),
    get_list("v2/workflow/{id}/job", workflows.list_workflow_jobs, SEE, p.WorkflowJob),
    post("v2/workflow/{id}/approve/{request}", workflows.approve, RUN, p.Message, status=ACCEPTED),
    post("v2/workflow/{id}/cancel", workflows.cancel, RUN, p.Message, status=ACCEPTED),
    post("v2/workflow/{id}/rerun", workflows.rerun, RUN, p.Rerun, p.RerunBody, status=ACCEPTED),
)

_JOBS = (
    get("v2/jobs/{id}", jobs.get_job_by_id, SEE, p.Job),
    post("v2/jobs/{id}/cancel", jobs.cancel_by_id, RUN, p.Message),
    get(f"v2/{SLUG}/job/{{number}}", jobs.get_job, SEE, p.Job),
    post(f"v2/{SLUG}/job/{{number}}/cancel", jobs.cancel_by_number, RUN, p.Message),
    get_list(f"v2/{SLUG}/{{number}}/artifacts", jobs.list_artifacts, SEE, p.Artifact),
    get_list(f"v2/{SLUG}/{{number}}/tests", jobs.list_tests, SEE, p.Test),
    row("GET", jobs.DOWNLOAD, jobs.download, SEE, None),
)

_DEFINITIONS = "v2/projects/{project_id}/pipeline-definitions"
_PROJECTS = (
    get(f"v2/{SLUG}", projects.get_project, SEE, p.Project),
    get(_DEFINITIONS, projects.list_definitions, SEE, p.PipelineDefinitions),
    get(f"{_DEFINITIONS}/{{id}}", projects.get_definition, SEE, p.PipelineDefinition),
)

_COMPILING = (
    post("v2/compile-config-with-defaults", compiling.compile_with_defaults, SELF, p.Compiled,
          p.CompileBody, optional=False, limit=compiling.MOST_BYTES),
    post("v3/configs/compile", compiling.compile_config, SELF, compiling.CompileAnswer,
          compiling.CompileRequest, optional=False, limit=compiling.MOST_BYTES),
)

_RUNNER = "v3/runner"
_RUNNERS = (
    post(f"{_RUNNER}/resource", runners.create_class, AGENTS, r.ResourceClass, r.NewResourceClass,
          optional=False),
    get(f"{_RUNNER}/resource", runners.list_classes, SELF, r.ResourceClasses, r.RunnersQuery),
    delete(f"{_RUNNER}/resource/{{id}}", runners.delete_class, AGENTS, p.Message),
    delete(f"{_RUNNER}/resource/{{id}}/force", runners.force_class, AGENTS, p.Message),
    post(f"{_RUNNER}/token", runners.create_token, AGENTS, r.RunnerToken, r.NewRunnerToken, optional=False),
    get(f"{_RUNNER}/token", runners.list_tokens, AGENTS, r.RunnerTokens, r.RunnersQuery),
    delete(f"{_RUNNER}/token/{{id}}", runners.delete_token, AGENTS, p.Message),
    get(_RUNNER, runners.list_runners, SELF, r.Runners, r.RunnersQuery),
)

_OLD_PEOPLE = (
    get("v1.1/me", callers.get_me, SELF, q.Me),
    get("v1.1/projects", callers.list_projects, SELF, list[q.Project]),
    get("v1.1/user/repos/{vcs}", callers.list_repositories, SELF, list[q.Repository], q.RepositoriesQuery),
    get("v1.1//user/repos/{vcs}", callers.list_repositories, SELF, list[q.Repository], q.RepositoriesQuery),
    get_list("private/me/followed-projects", callers.list_followed, SELF, q.FollowedProject),
    post(f"v1.1/{SLUG}/follow", callers.follow, Action.FOLLOW_PROJECT, q.Followed),
    post(f"v1.1/{SLUG}/unfollow", callers.unfollow, Action.FOLLOW_PROJECT, q.Followed),
)

_KEYS = f"v1.1/{SLUG}/ssh-key"
_OLD_KEYS = (
    post(_KEYS, keys.add_key, Action.CHANGE_VARIABLES, p.Message, q.SshKeyBody, optional=False),
    delete(_KEYS, keys.remove_key, Action.CHANGE_VARIABLES, p.Message, q.SshKeyDeleteBody,
           optional=False),
)

_BUILD = f"v1.1/{SLUG}/{{number}}"
_OLD_BUILDS = (
    get("v1.1/recent-builds", builds.list_recent, SEE, list[q.Build], q.BuildsQuery),
    get(f"v1.1/{SLUG}", builds.list_of_project, SEE, list[q.Build], q.BuildsQuery),
    post(f"v1.1/{SLUG}", builds.build_default, RUN, q.Build, q.TreeBody, status=CREATED),
    get(f"v1.1/{SLUG}/tree/{{branch:rest}}", builds.list_of_project, SEE, list[q.Build], q.BuildsQuery),
    post(f"v1.1/{SLUG}/tree/{{branch:rest}}", builds.build_branch, RUN, q.Build, q.TreeBody, status=CREATED),
    post(f"v1.1/{SLUG}/build", builds.build_project, RUN, q.BuildCreated, q.BuildBody),
    get(f"v1.1/{SLUG}/latest/artifacts", builds.list_latest_artifacts, SEE, list[q.Artifact], q.LatestQuery),
    get(_BUILD, builds.get_build, SEE, q.BuildDetails),
    post(f"{_BUILD}/retry", builds.retry, RUN, q.Build),
    post(f"{_BUILD}/ssh", keys.refuse_ssh, RUN, p.Message),
    post(f"{_BUILD}/ssh-users", keys.refuse_ssh, RUN, p.Message),
    post(f"{_BUILD}/cancel", builds.cancel, RUN, q.Build),
    get(f"{_BUILD}/artifacts", builds.list_artifacts, SEE, list[q.Artifact]),
    get(f"{_BUILD}/tests", builds.list_tests, SEE, q.Tests),
    get(f"{_BUILD}/output/{{step}}/{{index}}", output.read_wrapped, SEE, list[q.Output], q.OutputQuery),
    get("private/output/raw/{slug:3}/{number}/{kind}/{index}/{step}", output.read_raw, SEE, None),
)
# fmt: on

ROUTES: tuple[Route, ...] = (
    *_PEOPLE,
    *_PIPELINES,
    *_WORKFLOWS,
    *_JOBS,
    *_PROJECTS,
    *_COMPILING,
    *PLATFORM,
    *_RUNNERS,
    *_OLD_PEOPLE,
    *_OLD_KEYS,
    *_OLD_BUILDS,
)

CIRCLECI = Dialect(
    name="circleci",
    title="CircleCI API v2",
    prefixes=("/api/v2", "/api/v1.1", "/api/v3", "/api/private", "/output/job", "/output/usage"),
    routes=ROUTES,
    show_error=show_error,
    other_errors={"/api/v2/owner/": show_bare_error, "/api/v2/org/": show_bare_error},
    read_secret=read_secret,
    read_login=read_login,
    security={
        "header": {"type": "apiKey", "in": "header", "name": "Circle-Token"},
        "bearer": {"type": "http", "scheme": "bearer"},
        "basic": {"type": "http", "scheme": "basic"},
    },
)
