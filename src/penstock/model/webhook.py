"""Outbound webhooks: who is told of what that happened in a project, and how each telling went."""

from enum import StrEnum

import msgspec


class WebhookEvent(StrEnum):
    """What a webhook can be about (CircleCI OpenAPI document: createWebhook)."""

    WORKFLOW_COMPLETED = "workflow-completed"
    JOB_COMPLETED = "job-completed"
    PING = "ping"  # somebody tries the webhook; none can be subscribed to it


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """Where a project's events are sent. `signed` when it has a secret, which is kept elsewhere."""

    id: int
    uuid: str
    project_id: int
    name: str
    events: tuple[WebhookEvent, ...]
    url: str
    verify_tls: bool
    signed: bool
    created_at: int
    updated_at: int


class DeliveryState(StrEnum):
    """Where a delivery is.

    waiting -> sending -> delivered; sending -> waiting when it is to be tried again, -> failed when it is
    given up, -> dropped when what it is about is gone.
    """

    WAITING = "waiting"
    SENDING = "sending"
    DELIVERED = "delivered"
    FAILED = "failed"
    DROPPED = "dropped"


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One event on its way to one webhook; its UUID is the `id` in the body, the same for every attempt.

    `subject` is the UUID of the workflow or job, "" for a ping. `status`, `duration` (milliseconds), `answer`
    (its beginning) and `error` are those of the last attempt.
    """

    id: int
    uuid: str
    webhook_id: int
    event: WebhookEvent
    subject: str
    state: DeliveryState
    created_at: int  # when it happened
    asked_at: int  # when it was wanted: then, or when somebody asked for it again
    due_at: int | None  # of the next attempt; of one under way, when it counts as lost
    attempts: int
    attempted_at: int | None
    status: int | None
    duration: int | None
    error: str
    answer: str
