"""Outbound webhooks, and what is on its way to them."""

from sqlalchemy import Boolean, Column, Index, Table

from penstock.store.columns import (
    binary,
    encoded,
    fixed,
    identity,
    maybe,
    parent,
    partial_index,
    unique_id,
    whole,
    words,
)
from penstock.store.schema.metadata import metadata

webhooks = Table(
    "webhooks",
    metadata,
    identity(),
    unique_id(),
    parent("project_id", "projects"),
    words("name"),
    encoded("events"),
    words("url"),
    words("host"),  # as in the URL, with the port
    Column("verify_tls", Boolean, nullable=False),
    Column("signed", Boolean, nullable=False),
    whole("created_at"),
    whole("updated_at"),
    whole("failures", 0),  # attempts in a row that found nobody
    whole("rests_until", 0),  # nothing is sent before
    whole("slowness", -1),  # milliseconds of the last attempt, -1 before the first
    Index("webhooks_of_project", "project_id", "id"),
)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    identity(),
    unique_id(),
    parent("webhook_id", "webhooks"),
    fixed("event"),
    fixed("subject"),
    fixed("state"),
    whole("created_at"),
    whole("asked_at"),
    maybe("due_at"),
    whole("attempts", 0),
    maybe("attempted_at"),
    maybe("status"),
    maybe("duration"),
    words("error", ""),
    words("answer", ""),
    binary("body", nullable=True),
    Index("webhook_deliveries_in_order", "webhook_id", "id"),
)
partial_index(
    "webhook_deliveries_due",
    "due_at IS NOT NULL",
    webhook_deliveries.c.webhook_id,
    webhook_deliveries.c.due_at,
    webhook_deliveries.c.id,
)
