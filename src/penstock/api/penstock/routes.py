"""Every address of our own API: who may call it, what goes in and what comes out."""

from typing import Any

from penstock.api.common.call import Call
from penstock.api.common.dialect import Dialect
from penstock.api.common.route import PUBLIC, Handler, Route
from penstock.api.penstock import (
    accounts,
    agents,
    hooks,
    hosting,
    identity,
    organizations,
    people_groups,
    projects,
    schedules,
    tokens,
    usage,
    watching,
    webhooks,
)
from penstock.api.penstock import payloads as p
from penstock.api.penstock import usage_payloads as u
from penstock.api.penstock.paging import Page, PageQuery
from penstock.api.penstock.schedule_payloads import FiringsQuery, ScheduleFirings, ScheduleView
from penstock.api.penstock.webhooks_payloads import DeliveryView, SentView
from penstock.engine.access import Action
from penstock.model.identity import KnownKey
from penstock.model.picture import JobNews, PipelinePicture, PipelineSketch

PREFIX = "/api/penstock/v1"
ONE = "organizations/{organization}"
DELIVERY = "webhooks/{id}/deliveries/{delivery}"
SEE, SELF = Action.SEE_PROJECT, Action.SEE_SELF
ADMINISTER = Action.ADMINISTER_PROJECT


def _route(
    method: str,
    path: str,
    handler: Handler,
    access: str,
    answer: Any = None,  # noqa: ANN401 - any type
    body: Any = None,  # noqa: ANN401 - any type
    **more: Any,  # noqa: ANN401 - other fields of a route
) -> Route:
    """A row; what answers with nothing has the status 204."""
    return Route(
        method=method,
        path=f"{PREFIX}/{path}",
        handler=handler,
        access=access,
        answer=answer,
        body=body,
        summary=(handler.__doc__ or "").partition("\n")[0].rstrip("."),
        **({"status": 204} if answer is None else {}) | more,
    )


def _list(path: str, handler: Handler, access: str, item: Any, query: Any = PageQuery) -> Route:  # noqa: ANN401 - any type
    return _route("GET", path, handler, access, Page[item], query=query)


# fmt: off
ROUTES: tuple[Route, ...] = (
    _list("projects/{project}/pipelines", watching.list_pipelines, SEE, PipelineSketch, p.PipelinesQuery),
    _route("GET", "pipelines/{id}", watching.watch_pipeline, SEE, PipelinePicture,
           query=p.PictureQuery, held=True),
    _route("GET", "pipelines/{id}/report", watching.report_pipeline, SEE, p.Report),
    _route("GET", "jobs/{id}/output", watching.follow_output, SEE, JobNews, query=p.OutputQuery, held=True),

    _list("projects", projects.list_every, SELF, p.ProjectView, projects.ProjectsQuery),
    _route("POST", "projects", projects.create, Action.CREATE_PROJECT, p.ProjectView, p.NewProject,
           status=201),
    _route("GET", "projects/{project}", projects.get, SEE, p.ProjectView),
    _route("PATCH", "projects/{project}", projects.change, Action.CHANGE_PROJECT, p.ProjectView,
           p.ProjectChange),
    _route("DELETE", "projects/{project}", projects.delete, Action.DELETE_PROJECT),

    _route("GET", "projects/{project}/hook", hooks.get, Action.ADMINISTER_PROJECT, p.HookView),
    _route("POST", "projects/{project}/hook/secrets", hooks.create_secret, Action.ADMINISTER_PROJECT,
           p.MadeHookSecret, p.NewHookSecret, status=201, optional=True),
    _route("DELETE", "projects/{project}/hook/secrets/{id}", hooks.delete_secret, Action.ADMINISTER_PROJECT),

    _route("GET", "projects/{project}/credentials", hosting.get_credentials, ADMINISTER, p.CredentialsView),
    _route("PUT", "projects/{project}/credentials", hosting.put_credentials, ADMINISTER, p.CredentialsView,
           p.NewCredentials),
    _route("DELETE", "projects/{project}/credentials", hosting.delete_credentials, ADMINISTER),
    _route("GET", "projects/{project}/statuses", hosting.get_statuses, ADMINISTER, p.StatusesView),
    _route("PUT", "projects/{project}/statuses", hosting.put_statuses, ADMINISTER, p.StatusesView,
           p.NewStatuses),
    _route("DELETE", "projects/{project}/statuses", hosting.delete_statuses, ADMINISTER),

    _list("projects/{project}/schedules", schedules.list_of_project, SEE, ScheduleView),
    _route("GET", "schedules/{id}", schedules.get, SEE, ScheduleFirings, query=FiringsQuery),

    _list("webhooks/{id}/deliveries", webhooks.list_deliveries, Action.SEE_VARIABLES, DeliveryView),
    _route("GET", DELIVERY, webhooks.get_delivery, Action.SEE_VARIABLES, SentView),
    _route("POST", f"{DELIVERY}/redeliver", webhooks.redeliver, Action.CHANGE_VARIABLES, DeliveryView,
           status=202),
    _route("POST", "webhooks/{id}/ping", webhooks.ping, Action.CHANGE_VARIABLES, DeliveryView, status=202),

    _list("tokens", tokens.list_own, Action.CHANGE_TOKENS, p.TokenView, tokens.TokensQuery),
    _route("POST", "tokens", tokens.create, Action.CHANGE_TOKENS, p.MadeToken, p.NewToken, status=201),
    _route("DELETE", "tokens/{id}", tokens.revoke, SELF),

    _route("POST", "login", accounts.log_in, PUBLIC, p.MadeToken, p.Login, status=201),
    _list("users", accounts.list_every, Action.CHANGE_USERS, p.UserView),
    _route("POST", "users", accounts.create, Action.CHANGE_USERS, p.UserView, p.NewAccount, status=201),
    _route("GET", "users/{user}", accounts.get, Action.SEE_USER, p.UserView),
    _route("PATCH", "users/{user}", accounts.change, Action.CHANGE_TOKENS, p.UserView, p.UserChange),

    _list("organizations", organizations.list_every, SELF, p.OrganizationView),
    _route("POST", "organizations", organizations.create, Action.CREATE_ORGANIZATION, p.OrganizationView,
           p.NewOrganization, status=201),
    _route("GET", ONE, organizations.get, Action.SEE_ORGANIZATION, p.OrganizationView),
    _route("PATCH", ONE, organizations.change, Action.CHANGE_ORGANIZATION,
           p.OrganizationView, p.OrganizationChange),
    _route("DELETE", ONE, organizations.delete, Action.DELETE_ORGANIZATION),
    _list(f"{ONE}/members", organizations.list_members, Action.SEE_MEMBERS, p.MemberView),
    _route("PUT", f"{ONE}/members/{{user}}", organizations.set_member, Action.CHANGE_MEMBERS,
           p.MemberView, p.MemberChange),
    _route("DELETE", f"{ONE}/members/{{user}}", organizations.remove_member,
           Action.LEAVE_ORGANIZATION),
    _list(f"{ONE}/groups/{{people}}/members", people_groups.list_members, Action.SEE_MEMBERS, p.PersonView),
    _route("PUT", f"{ONE}/groups/{{people}}/members/{{user}}", people_groups.add_member,
           Action.CHANGE_MEMBERS, p.PersonView),
    _route("DELETE", f"{ONE}/groups/{{people}}/members/{{user}}", people_groups.remove_member,
           Action.CHANGE_MEMBERS),
    _list(f"{ONE}/usage", usage.sum_up, Action.SEE_USAGE, u.UsageView, u.UsageQuery),
    _list(f"{ONE}/audit", organizations.list_acts, Action.SEE_AUDIT, p.AuditView),
    _list("audit", organizations.list_all_acts, Action.SEE_SERVER_AUDIT, p.AuditView),

    _route("GET", "signing-keys", identity.list_signing_keys, Action.CHANGE_SIGNING_KEYS, Page[KnownKey]),
    _route("POST", "signing-keys", identity.rotate, Action.CHANGE_SIGNING_KEYS, Page[KnownKey],
           identity.NewRotation, status=201, optional=True),

    _list("agent-groups", agents.list_groups, SELF, p.GroupView),
    _route("POST", "agent-groups", agents.create_group, Action.CHANGE_AGENTS, p.MadeJoinToken, p.NewGroup,
           status=201),
    _route("DELETE", "agent-groups/{id}", agents.delete_group, Action.CHANGE_AGENTS),
    _list("agent-groups/{id}/tokens", agents.list_join_tokens, Action.CHANGE_AGENTS, p.JoinTokenView),
    _route("POST", "agent-groups/{id}/tokens", agents.create_join_token, Action.CHANGE_AGENTS,
           p.MadeJoinToken, p.NewJoinToken, status=201),
    _route("DELETE", "agent-groups/{id}/tokens/{token}", agents.revoke_join_token, Action.CHANGE_AGENTS),

    _list("agents", agents.list_agents, SELF, p.AgentView),
    _route("POST", "agents/{id}/disable", agents.disable_agent, Action.CHANGE_AGENTS),
    _route("POST", "agents/{id}/enable", agents.enable_agent, Action.CHANGE_AGENTS),
    _route("DELETE", "agents/{id}", agents.remove_agent, Action.CHANGE_AGENTS),
)
# fmt: on


def read_secret(call: Call) -> str:
    """The token of the header `Authorization: Bearer …`, "" when there is none."""
    scheme, _, given = call.header("authorization").partition(" ")
    return given.strip() if scheme.lower() == "bearer" else ""


PENSTOCK = Dialect(
    name="penstock",
    title="Penstock's own API",
    prefixes=("/api/penstock",),
    routes=ROUTES,
    read_secret=read_secret,
    security={"bearer": {"type": "http", "scheme": "bearer"}},
)
