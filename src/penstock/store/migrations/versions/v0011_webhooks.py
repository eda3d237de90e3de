"""Version 0011: webhooks that tell others."""

from alembic import op

from penstock.store.migrations.parts import (
    BINARY,
    FLAG,
    TEXT,
    WHOLE,
    column,
    columns,
    identity,
    make_index,
    parent,
    primary_key,
    unique,
)

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Webhooks, and deliveries to them."""
    op.create_table(
        "webhooks",
        identity(),
        *columns(TEXT, "uuid"),
        parent("webhooks", "project_id", "projects"),
        *columns(TEXT, "name", "events", "url", "host"),
        *columns(FLAG, "verify_tls", "signed"),
        *columns(WHOLE, "created_at", "updated_at"),
        *(column(name, WHOLE, default="0") for name in ("failures", "rests_until")),
        column("slowness", WHOLE, default="-1"),
        primary_key("webhooks", "id"),
        unique("webhooks", "uuid"),
    )
    make_index("webhooks_of_project", "webhooks", "project_id", "id")
    table = "webhook_deliveries"
    op.create_table(
        table,
        identity(),
        *columns(TEXT, "uuid"),
        parent(table, "webhook_id", "webhooks"),
        *columns(TEXT, "event", "subject", "state"),
        *columns(WHOLE, "created_at", "asked_at"),
        *columns(WHOLE, "due_at", nullable=True),
        column("attempts", WHOLE, default="0"),
        *columns(WHOLE, "attempted_at", "status", "duration", nullable=True),
        column("error", TEXT, default="''"),
        column("answer", TEXT, default="''"),
        *columns(BINARY, "body", nullable=True),
        primary_key(table, "id"),
        unique(table, "uuid"),
    )
    make_index("webhook_deliveries_in_order", table, "webhook_id", "id")
    make_index("webhook_deliveries_due", table, "webhook_id", "due_at", "id", where="due_at IS NOT NULL")
