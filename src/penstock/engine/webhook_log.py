"""The log of a webhook's deliveries, as people read it, and what they can have done: try, send again."""

from functools import partial

import msgspec

from penstock.engine.access import Action
from penstock.engine.audit import note
from penstock.engine.facts import present
from penstock.engine.lookup import owner_of
from penstock.engine.principal import Principal
from penstock.engine.runs import read_id
from penstock.engine.transact import transact
from penstock.engine.unit import Parts, Unit
from penstock.engine.webhook_events import WEBHOOK
from penstock.engine.webhooks import open_webhook
from penstock.model.errors import ConflictError, LimitExceededError, NotFoundError
from penstock.model.webhook import Delivery, DeliveryState, Webhook, WebhookEvent
from penstock.store import packing, webhook_deliveries, webhooks
from penstock.store.database import Transaction
from penstock.store.webhook_deliveries import DeliveryChange
from penstock.store.webhooks import WebhookChange

KEPT = 1000
"""Deliveries of a webhook that its log keeps."""

KEPT_FOR = 30 * 86_400_000
"""Milliseconds a delivery is kept for at most."""

MOST_PINGS = 10
"""Pings of a webhook that may wait at once."""

_AT_ONCE = 1000


class Sent(msgspec.Struct, frozen=True):
    """A delivery, and the body that was sent; "" before the first attempt."""

    delivery: Delivery
    body: str


def list_deliveries(
    tx: Transaction, by: Principal, uuid: str, *, before: int | None = None, limit: int = 100
) -> list[Delivery]:
    """The webhook's deliveries, newest first, with ids below `before`. Raises as `open_webhook` does."""
    webhook, _ = open_webhook(tx, by, Action.SEE_VARIABLES, uuid)
    return webhook_deliveries.list_deliveries(tx, webhook.id, before=before, limit=limit)


def show_delivery(tx: Transaction, by: Principal, uuid: str, delivery: str) -> Sent:
    """One of the webhook's deliveries. Raises as `open_webhook` does, NotFoundError when there is none."""
    webhook, _ = open_webhook(tx, by, Action.SEE_VARIABLES, uuid)
    found = _find(tx, webhook, delivery)
    body = webhook_deliveries.load_body(tx, found.id)
    return Sent(found, packing.unpack(body).decode() if body else "")


def ping_webhook(parts: Parts, by: Principal, uuid: str) -> Delivery:
    """A ping will be sent at once, and only once; its delivery.

    Raises as `open_webhook` does, LimitExceededError while `MOST_PINGS` wait.
    """

    def work(unit: Unit) -> Delivery:
        webhook = _open(unit, by, uuid, "webhook.ping")
        recent = webhook_deliveries.list_deliveries(unit.tx, webhook.id, limit=MOST_PINGS)
        waiting = [each for each in recent if each.due_at is not None]
        if len(waiting) >= MOST_PINGS and all(each.event is WebhookEvent.PING for each in waiting):
            raise LimitExceededError(f"{MOST_PINGS} pings wait already")
        _rouse(unit, webhook)
        wanted = [(webhook.id, WebhookEvent.PING, "")]
        [delivery] = webhook_deliveries.promise_deliveries(unit.tx, wanted, now=unit.now)
        return present(webhook_deliveries.delivery_by_uuid(unit.tx, webhook.id, delivery))

    return transact(parts, work)


def redeliver(parts: Parts, by: Principal, uuid: str, delivery: str) -> Delivery:
    """The delivery will be sent again at once, with the body it had, and tried for a day.

    Raises as `open_webhook` does, ConflictError while it is being sent.
    """
    return transact(parts, partial(_redeliver, by, uuid, delivery))


def _redeliver(by: Principal, uuid: str, delivery: str, unit: Unit) -> Delivery:
    webhook = _open(unit, by, uuid, "webhook.redeliver")
    _rouse(unit, webhook)
    found = webhook_deliveries.lock_delivery(unit.tx, _find(unit.tx, webhook, delivery).id)
    if found is None:  # it was pruned meanwhile
        raise NotFoundError("Delivery not found.")
    if found.state is DeliveryState.SENDING:
        raise ConflictError("the delivery is being sent: ask again in a moment")
    change = DeliveryChange(
        id=found.id, state=DeliveryState.WAITING, asked_at=unit.now, due_at=unit.now, error=""
    )
    webhook_deliveries.change_delivery(unit.tx, change)
    return present(webhook_deliveries.lock_delivery(unit.tx, found.id))


def prune_log(parts: Parts) -> bool:
    """Logs keep their newest deliveries only; True when more old ones are left to be removed."""
    with parts.db.read() as tx:
        crowded = webhook_deliveries.list_crowded(tx, KEPT)
    for webhook_id in crowded:
        parts.db.retry(partial(_prune, webhook_id))
    before = parts.clock.now() - KEPT_FOR
    forgotten = parts.db.retry(lambda tx: webhook_deliveries.forget_deliveries(tx, before, limit=_AT_ONCE))
    return forgotten >= _AT_ONCE


def _prune(webhook_id: int, tx: Transaction) -> None:
    webhook_deliveries.prune_deliveries(tx, webhook_id, keep=KEPT)


def _open(unit: Unit, by: Principal, uuid: str, act: str) -> Webhook:
    """The webhook, which the principal may change; that it was used is noted."""
    webhook, project = open_webhook(unit.tx, by, Action.CHANGE_VARIABLES, uuid)
    note(unit, by, act, webhook.uuid, organization=owner_of(unit.tx, project), project=project.uuid)
    return webhook


def _rouse(unit: Unit, webhook: Webhook) -> None:
    """Its receiver is not left alone any longer, and nobody deletes it before the transaction ends.

    Raises NotFoundError when somebody just has.
    """
    webhooks.change_webhook(unit.tx, WebhookChange(id=webhook.id, rests_until=0))
    if webhooks.get_webhook(unit.tx, webhook.id) is None:
        raise NotFoundError("Webhook not found.")
    unit.posted.add(WEBHOOK)


def _find(tx: Transaction, webhook: Webhook, delivery: str) -> Delivery:
    found = webhook_deliveries.delivery_by_uuid(tx, webhook.id, read_id(delivery))
    if found is None:
        raise NotFoundError("Delivery not found.")
    return found
