"""Every address of CircleCI's API that is answered: who may call it, what goes in and what comes out."""

from typing import Any

import msgspec

from penstock.api.circleci import jobs, payloads, people, pipelines, projects, workflows
from penstock.api.circleci.auth import read_secret
from penstock.api.circleci.errors import show_error
from penstock.api.circleci.paging import Page, PageQuery
from penstock.api.common.dialect import Dialect
from penstock.api.common.route import PUBLIC, Handler, Route
from penstock.engine.access import Action
from penstock.engine.continuation import MOST_BYTES

V2 = "/api/v2"
SLUG = "/project/{slug:3}"

SEE, RUN = Action.SEE_PROJECT, Action.RUN_PIPELINE
Query = type[msgspec.Struct] | None


def _get(path: str, handler: Handler, access: str, answer: Any, *, query: Query = None) -> Route:  # noqa: ANN401 - any type
    return Route(
        method="GET",
        path=path,
        handler=handler,
        access=access,
        answer=answer,
        query=query,
        summary=_title(handler),
    )


def _post(  # noqa: PLR0913 - a row of the table
    path: str,
    handler: Handler,
    access: str,
    answer: Any,  # noqa: ANN401 - any type
    *,
    body: Any = None,  # noqa: ANN401 - any type
    status: int = 200,
    optional: bool = True,
    limit: int | None = None,
) -> Route:
    return Route(
        method="POST",
        path=path,
        handler=handler,
        access=access,
        answer=answer,
        body=body,
        status=status,
        optional=optional and body is not None,
        limit=limit,
        summary=_title(handler),
    )


def _title(handler: Handler) -> str:
    return (handler.__doc__ or "").partition("\n")[0].rstrip(".")


# fmt: off
_PEOPLE = (
    _get(f"{V2}/me", people.get_me, Action.SEE_SELF, payloads.User),
    _get(f"{V2}/me/collaborations", people.list_collaborations, Action.SEE_SELF, list[payloads.Collaboration]),
    _get(f"{V2}/user/{{id}}", people.get_user, Action.SEE_USER, payloads.User),
    _get(f"{V2}/organization/{{slug}}", people.get_organization, Action.SEE_ORGANIZATION, payloads.Organization),
    _get(f"{V2}/organization/{{slug:2}}", people.get_organization, Action.SEE_ORGANIZATION, payloads.Organization),
)

_PIPELINES = (
    _get(f"{V2}/pipeline", pipelines.list_everywhere, SEE, Page[payloads.Pipeline], query=pipelines.EverywhereQuery),
    _post(f"{V2}/pipeline/continue", pipelines.continue_pipeline, PUBLIC, payloads.Message,
          body=payloads.ContinueBody, optional=False, limit=3 * MOST_BYTES),
    _get(f"{V2}/pipeline/{{id}}", pipelines.get_by_id, SEE, payloads.Pipeline),
    _get(f"{V2}/pipeline/{{id}}/config", pipelines.get_config, SEE, payloads.PipelineConfig),
    _get(f"{V2}/pipeline/{{id}}/values", pipelines.get_values, SEE, dict[str, payloads.Simple]),
    _get(f"{V2}/pipeline/{{id}}/workflow", pipelines.list_workflows, SEE, Page[payloads.Workflow], query=PageQuery),
    _post(f"{V2}{SLUG}/pipeline", pipelines.trigger, RUN, payloads.NewPipeline, body=payloads.TriggerBody, status=201),
    _post(f"{V2}{SLUG}/pipeline/run", pipelines.run, RUN, payloads.NewPipeline, body=payloads.RunBody, status=201),
    _get(f"{V2}{SLUG}/pipeline", pipelines.list_of_project, SEE, Page[payloads.Pipeline], query=pipelines.ListQuery),
    _get(f"{V2}{SLUG}/pipeline/mine", pipelines.list_mine, SEE, Page[payloads.Pipeline], query=PageQuery),
    _get(f"{V2}{SLUG}/pipeline/{{number}}", pipelines.get_by_number, SEE, payloads.Pipeline),
)

_WORKFLOWS = (
    _get(f"{V2}/workflow/{{id}}", workflows.get_workflow, SEE, payloads.Workflow),
    _get(f"{V2}/workflow/{{id}}/job", workflows.list_workflow_jobs, SEE, Page[payloads.WorkflowJob], query=PageQuery),
    _post(f"{V2}/workflow/{{id}}/approve/{{request}}", workflows.approve, RUN, payloads.Message, status=202),
    _post(f"{V2}/workflow/{{id}}/cancel", workflows.cancel, RUN, payloads.Message, status=202),
    _post(f"{V2}/workflow/{{id}}/rerun", workflows.rerun, RUN, payloads.Rerun, body=payloads.RerunBody, status=202),
)

_JOBS = (
    _get(f"{V2}/jobs/{{id}}", jobs.get_job_by_id, SEE, payloads.Job),
    _post(f"{V2}/jobs/{{id}}/cancel", jobs.cancel_by_id, RUN, payloads.Message),
    _get(f"{V2}{SLUG}/job/{{number}}", jobs.get_job, SEE, payloads.Job),
    _post(f"{V2}{SLUG}/job/{{number}}/cancel", jobs.cancel_by_number, RUN, payloads.Message),
    _get(f"{V2}{SLUG}/{{number}}/artifacts", jobs.list_artifacts, SEE, Page[payloads.Artifact], query=PageQuery),
    _get(f"{V2}{SLUG}/{{number}}/tests", jobs.list_tests, SEE, Page[payloads.Test], query=PageQuery),
    _get(jobs.DOWNLOAD, jobs.download, SEE, bytes),
)

_PROJECTS = (
    _get(f"{V2}{SLUG}", projects.get_project, SEE, payloads.Project),
    _get(f"{V2}/projects/{{project_id}}/pipeline-definitions", projects.list_definitions, SEE,
         Page[payloads.PipelineDefinition]),
    _get(f"{V2}/projects/{{project_id}}/pipeline-definitions/{{id}}", projects.get_definition, SEE,
         payloads.PipelineDefinition),
)
# fmt: on

ROUTES: tuple[Route, ...] = (*_PEOPLE, *_PIPELINES, *_WORKFLOWS, *_JOBS, *_PROJECTS)

CIRCLECI = Dialect(
    name="circleci",
    title="CircleCI API v2",
    prefixes=("/api/v2", "/api/v1.1", "/api/v3", "/api/private", "/output/job"),
    routes=ROUTES,
    show_error=show_error,
    read_secret=read_secret,
)
