"""Every address of CircleCI's API that is not about one run: who may call it, what goes in and comes out."""

from penstock.api.circleci.payloads import Message
from penstock.api.circleci.platform import webhooks
from penstock.api.circleci.platform import webhooks_payloads as hooks
from penstock.api.circleci.rows import delete, get, get_list, post, put
from penstock.api.common.route import Route
from penstock.engine.access import Action

SEE_VARIABLES, CHANGE_VARIABLES = Action.SEE_VARIABLES, Action.CHANGE_VARIABLES

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
)

_WEBHOOKS: tuple[Route, ...] = (
    post("v2/webhook", webhooks.create_webhook, CHANGE_VARIABLES, hooks.Webhook, hooks.NewWebhook,
         status=201, optional=False),
    get_list("v2/webhook", webhooks.list_webhooks, SEE_VARIABLES, hooks.Webhook, hooks.WebhooksQuery),
    get("v2/webhook/{id}", webhooks.get_webhook, SEE_VARIABLES, hooks.Webhook),
    put("v2/webhook/{id}", webhooks.update_webhook, CHANGE_VARIABLES, hooks.Webhook, hooks.WebhookUpdate),
    delete("v2/webhook/{id}", webhooks.delete_webhook, CHANGE_VARIABLES, Message),
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
