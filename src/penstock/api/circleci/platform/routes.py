"""Every address of CircleCI's API that is not about one run: who may call it, what goes in and comes out."""

from penstock.api.circleci.payloads import Message
from penstock.api.circleci.platform import schedule_payloads as s
from penstock.api.circleci.platform import schedules
from penstock.api.circleci.rows import delete, get, get_list, patch, post
from penstock.api.common.route import Route
from penstock.engine.access import Action

SLUG, CREATED = "v2/project/{slug:3}", 201

# fmt: off
_CONTEXTS: tuple[Route, ...] = (
)

_GROUPS: tuple[Route, ...] = (
)

_PROJECTS: tuple[Route, ...] = (
)

_KEYS: tuple[Route, ...] = (
)

_SCHEDULES: tuple[Route, ...] = (
    get_list(f"{SLUG}/schedule", schedules.list_of_project, Action.SEE_PROJECT, s.Schedule),
    post(f"{SLUG}/schedule", schedules.create, Action.CHANGE_VARIABLES, s.Schedule, s.CreateBody,
         status=CREATED, optional=False),
    get("v2/schedule/{id}", schedules.get, Action.SEE_PROJECT, s.Schedule),
    patch("v2/schedule/{id}", schedules.update, Action.CHANGE_VARIABLES, s.Schedule, s.UpdateBody),
    delete("v2/schedule/{id}", schedules.delete, Action.CHANGE_VARIABLES, Message),
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
