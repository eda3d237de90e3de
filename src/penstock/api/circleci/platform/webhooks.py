"""The webhooks of a project."""

from typing import TypeVar

from msgspec import UnsetType

from penstock.api.circleci.paging import Page, read_token
from penstock.api.circleci.payloads import Message
from penstock.api.circleci.platform import webhooks_payloads as payloads
from penstock.api.circleci.times import show_millis
from penstock.api.common.call import Call
from penstock.api.common.caller import principal_of
from penstock.api.common.server import Server
from penstock.engine import webhooks as engine
from penstock.engine.access import Action
from penstock.engine.lookup import open_project
from penstock.engine.runs import read_id
from penstock.model.project import Project
from penstock.model.webhook import Webhook, WebhookEvent
from penstock.store import webhooks as store

DELETED = Message(message="Webhook deleted.")

T = TypeVar("T")


def create_webhook(server: Server, call: Call) -> payloads.Webhook:
    """Create an outbound webhook."""
    body: payloads.NewWebhook = call.payload
    by = principal_of(call)
    with server.parts.db.read() as tx:
        project = open_project(tx, by, Action.CHANGE_VARIABLES, read_id(body.scope.id))
    new = engine.NewWebhook(
        name=body.name,
        events=[WebhookEvent(each) for each in body.events],
        url=body.url,
        verify_tls=body.verify_tls,
        secret=body.signing_secret,
    )
    made = engine.create_webhook(server.parts, server.sealer, by, project, new, reach=server.reach)
    return show_webhook(made, project)


def list_webhooks(server: Server, call: Call) -> Page[payloads.Webhook]:
    """The outbound webhooks of a project."""
    query: payloads.WebhooksQuery = call.query
    read_token(query.page_token, query.scope_id, int)  # there is one page, and so no token is right
    with server.parts.db.read() as tx:
        project = open_project(tx, principal_of(call), Action.SEE_VARIABLES, read_id(query.scope_id))
        found = store.list_webhooks(tx, project.id)
    return Page(items=tuple(show_webhook(each, project) for each in found))


def get_webhook(server: Server, call: Call) -> payloads.Webhook:
    """An outbound webhook by id."""
    found, project = _open(server, call, Action.SEE_VARIABLES)
    return show_webhook(found, project)


def update_webhook(server: Server, call: Call) -> payloads.Webhook:
    """Change an outbound webhook."""
    body: payloads.WebhookUpdate = call.payload or payloads.WebhookUpdate()
    found, project = _open(server, call, Action.CHANGE_VARIABLES)
    events = _given(body.events)
    update = engine.Update(
        name=_given(body.name),
        events=None if events is None else [WebhookEvent(each) for each in events],
        url=_given(body.url),
        verify_tls=_given(body.verify_tls),
        secret=_given(body.signing_secret),
    )
    by = principal_of(call)
    changed = engine.update_webhook(server.parts, server.sealer, by, found, update, reach=server.reach)
    return show_webhook(changed, project)


def delete_webhook(server: Server, call: Call) -> Message:
    """Delete an outbound webhook, with all that waits to be sent to it."""
    found, _ = _open(server, call, Action.CHANGE_VARIABLES)
    engine.delete_webhook(server.parts, principal_of(call), found)
    return DELETED


def show_webhook(webhook: Webhook, project: Project) -> payloads.Webhook:
    """The webhook without its secret."""
    return payloads.Webhook(
        id=webhook.uuid,
        scope=payloads.Scope(id=project.uuid, type="project"),
        name=webhook.name,
        events=tuple(event.value for event in webhook.events),
        url=webhook.url,
        verify_tls=webhook.verify_tls,
        signing_secret=engine.MASK if webhook.signed else "",
        created_at=show_millis(webhook.created_at),
        updated_at=show_millis(webhook.updated_at),
    )


def _open(server: Server, call: Call, action: Action) -> tuple[Webhook, Project]:
    with server.parts.db.read() as tx:
        return engine.open_webhook(tx, principal_of(call), action, call.params["id"])


def _given(value: T | UnsetType) -> T | None:
    return None if isinstance(value, UnsetType) else value
