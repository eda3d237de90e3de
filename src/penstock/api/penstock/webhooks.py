"""What was sent to a webhook, how it went, and what can be sent again."""

from penstock.api.common.call import Call
from penstock.api.common.caller import principal_of
from penstock.api.common.server import Server
from penstock.api.penstock.paging import Page, PageQuery, cut_page, read_number
from penstock.api.penstock.webhooks_payloads import DeliveryView, SentView
from penstock.engine import webhook_log
from penstock.model.webhook import Delivery


def list_deliveries(server: Server, call: Call) -> Page[DeliveryView]:
    """What was sent to a webhook of late, newest first."""
    query: PageQuery = call.query
    before = read_number(query.after) or None
    with server.parts.db.read() as tx:
        found = webhook_log.list_deliveries(
            tx, principal_of(call), call.params["id"], before=before, limit=query.limit + 1
        )
    kept, after = cut_page(found, query.limit, lambda delivery: delivery.id)
    return Page([_show(delivery) for delivery in kept], after)


def get_delivery(server: Server, call: Call) -> SentView:
    """One delivery, with the body that was sent."""
    with server.parts.db.read() as tx:
        found = webhook_log.show_delivery(tx, principal_of(call), call.params["id"], call.params["delivery"])
    return SentView(delivery=_show(found.delivery), body=found.body)


def redeliver(server: Server, call: Call) -> DeliveryView:
    """Send a delivery again, at once."""
    by = principal_of(call)
    return _show(webhook_log.redeliver(server.parts, by, call.params["id"], call.params["delivery"]))


def ping(server: Server, call: Call) -> DeliveryView:
    """Send a ping to a webhook, to try it."""
    return _show(webhook_log.ping_webhook(server.parts, principal_of(call), call.params["id"]))


def _show(delivery: Delivery) -> DeliveryView:
    return DeliveryView(
        id=delivery.uuid,
        event=delivery.event,
        subject=delivery.subject,
        state=delivery.state,
        created_at=delivery.created_at,
        attempts=delivery.attempts,
        attempted_at=delivery.attempted_at,
        due_at=delivery.due_at,
        status=delivery.status,
        duration=delivery.duration,
        error=delivery.error,
        answer=delivery.answer,
    )
