"""What goes over the wire about deliveries to webhooks. Times are milliseconds since the epoch."""

from penstock.api.penstock.payloads import Payload
from penstock.model.webhook import DeliveryState, WebhookEvent


class DeliveryView(Payload, frozen=True, kw_only=True):
    """A delivery and how its last attempt went.

    `id` is that of the body, `subject` that of the workflow or job. `due_at` is when it is tried next,
    `status` and the beginning of the `answer` what the receiver said, after `duration` milliseconds.
    """

    id: str
    event: WebhookEvent
    subject: str
    state: DeliveryState
    created_at: int
    attempts: int
    attempted_at: int | None
    due_at: int | None
    status: int | None
    duration: int | None
    error: str
    answer: str


class SentView(Payload, frozen=True, kw_only=True):
    """A delivery with the body that was sent, as text; "" before the first attempt."""

    delivery: DeliveryView
    body: str
