"""Outbound webhooks of projects, and how those they are sent to have been of late."""

from functools import cache
from typing import Any

import msgspec
from sqlalchemy import Executable, Select, bindparam, delete, select

from penstock.model.webhook import Webhook, WebhookEvent
from penstock.store import rows
from penstock.store.database import Transaction
from penstock.store.schema import webhooks


class WebhookChange(msgspec.Struct, kw_only=True):
    """What may change about a webhook; unset fields stay as they are."""

    id: int
    name: str | msgspec.UnsetType = msgspec.UNSET
    events: tuple[WebhookEvent, ...] | msgspec.UnsetType = msgspec.UNSET
    url: str | msgspec.UnsetType = msgspec.UNSET
    host: str | msgspec.UnsetType = msgspec.UNSET
    verify_tls: bool | msgspec.UnsetType = msgspec.UNSET
    signed: bool | msgspec.UnsetType = msgspec.UNSET
    updated_at: int | msgspec.UnsetType = msgspec.UNSET
    failures: int | msgspec.UnsetType = msgspec.UNSET
    rests_until: int | msgspec.UnsetType = msgspec.UNSET
    slowness: int | msgspec.UnsetType = msgspec.UNSET


class Listener(msgspec.Struct, frozen=True):
    """A webhook as those see it who have something to tell."""

    id: int
    events: tuple[WebhookEvent, ...]


def add_webhook(tx: Transaction, webhook: Webhook, host: str) -> Webhook:
    """The stored webhook (its `id` is ignored); `host` is who it is sent to, in one spelling."""
    row_id = rows.insert_row(tx, webhooks, rows.values_of(webhook) | {"host": host})
    return msgspec.structs.replace(webhook, id=row_id)


def change_webhook(tx: Transaction, change: WebhookChange) -> None:
    """The webhook has these fields; nothing happens when it is gone."""
    rows.apply_changes(tx, webhooks, [change])


def get_webhook(tx: Transaction, webhook_id: int) -> Webhook | None:
    """The webhook of that row id."""
    return rows.fetch_one(tx, Webhook, _select_webhook("id"), {"id": webhook_id})


def webhook_by_uuid(tx: Transaction, uuid: str) -> Webhook | None:
    """The webhook of that UUID."""
    return rows.fetch_one(tx, Webhook, _select_webhook("uuid"), {"uuid": uuid})


def list_webhooks(tx: Transaction, project_id: int) -> list[Webhook]:
    """The project's webhooks, oldest first."""
    mine = _select_webhook("project_id").order_by(webhooks.c.id)
    return rows.fetch_all(tx, Webhook, mine, {"project_id": project_id})


def hold_listeners(tx: Transaction, project_id: int) -> list[Listener]:
    """The project's webhooks, none of which can be deleted before the transaction ends."""
    return rows.fetch_all(tx, Listener, _select_listeners(), {"project": project_id})


def delete_webhook(tx: Transaction, webhook_id: int) -> None:
    """The webhook is gone with all deliveries to it."""
    tx.execute(delete(webhooks).where(webhooks.c.id == webhook_id))


@cache
def _select_webhook(field: str) -> Select[Any]:
    return select(*rows.columns_of(webhooks, Webhook)).where(webhooks.c[field] == bindparam(field))


@cache
def _select_listeners() -> Executable:
    """Held in the order of their ids, so that two transactions never wait for each other."""
    mine = select(*rows.columns_of(webhooks, Listener)).where(webhooks.c.project_id == bindparam("project"))
    return mine.order_by(webhooks.c.id).with_for_update(read=True, key_share=True)
