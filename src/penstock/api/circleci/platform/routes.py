"""Every address of CircleCI's API that is not about one run: who may call it, what goes in and comes out."""

from penstock.api.circleci.payloads import Message
from penstock.api.circleci.platform import contexts, groups
from penstock.api.circleci.platform import contexts_payloads as c
from penstock.api.circleci.rows import delete, get, get_list, post, put
from penstock.api.common.route import Route
from penstock.engine.access import Action

CREATED = 201

# fmt: off
_CONTEXT = "v2/context/{context}"
_CONTEXTS: tuple[Route, ...] = (
    post("v2/context", contexts.create_context, Action.CHANGE_CONTEXTS, c.Context, c.NewContext,
         optional=False),
    get_list("v2/context", contexts.list_contexts, Action.SEE_CONTEXTS, c.Context, c.ContextsQuery),
    get(_CONTEXT, contexts.get_context, Action.SEE_CONTEXTS, c.Context),
    delete(_CONTEXT, contexts.delete_context, Action.CHANGE_CONTEXTS, Message),
    get_list(f"{_CONTEXT}/environment-variable", contexts.list_variables, Action.SEE_CONTEXTS, c.Variable),
    put(f"{_CONTEXT}/environment-variable/{{variable}}", contexts.put_variable, Action.CHANGE_CONTEXTS,
        c.Variable, c.NewValue, optional=False),
    delete(f"{_CONTEXT}/environment-variable/{{variable}}", contexts.delete_variable,
           Action.CHANGE_CONTEXTS, Message),
    get_list(f"{_CONTEXT}/restrictions", contexts.list_restrictions, Action.SEE_CONTEXTS, c.Restriction),
    post(f"{_CONTEXT}/restrictions", contexts.create_restriction, Action.RESTRICT_CONTEXTS,
         c.Restriction, c.NewRestriction, status=CREATED),
    delete(f"{_CONTEXT}/restrictions/{{restriction}}", contexts.delete_restriction,
           Action.RESTRICT_CONTEXTS, Message),
)

_GROUP = "v2/organizations/{org_id}/groups"
_GROUPS: tuple[Route, ...] = (
    get(_GROUP, groups.list_groups, Action.SEE_MEMBERS, c.Groups, c.GroupsQuery),
    post(_GROUP, groups.create_group, Action.CHANGE_MEMBERS, c.Group, c.NewGroup, status=CREATED,
         optional=False),
    get(f"{_GROUP}/{{group}}", groups.get_group, Action.SEE_MEMBERS, c.Group),
    delete(f"{_GROUP}/{{group}}", groups.delete_group, Action.CHANGE_MEMBERS, Message),
)

_PROJECTS: tuple[Route, ...] = (
)

_KEYS: tuple[Route, ...] = (
)

_SCHEDULES: tuple[Route, ...] = (
)

_WEBHOOKS: tuple[Route, ...] = (
)

_POLICIES: tuple[Route, ...] = (
)

_CLAIMS: tuple[Route, ...] = (
)

_USAGE: tuple[Route, ...] = (
)
# fmt: on

PLATFORM: tuple[Route, ...] = (
    *_CONTEXTS,
    *_GROUPS,
    *_PROJECTS,
    *_KEYS,
    *_SCHEDULES,
    *_WEBHOOKS,
    *_POLICIES,
    *_CLAIMS,
    *_USAGE,
)
