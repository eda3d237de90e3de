"""Who waits for what: locks, work for later, follow-ups."""

from sqlalchemy import Boolean, Column, Index, Table, Text, UniqueConstraint

from penstock.store.columns import (
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

locks = Table(
    "locks",
    metadata,
    identity(),
    parent("organization_id", "organizations"),
    words("name"),
    parent("workflow_id", "workflows"),
    words("job_key"),
    Column("held", Boolean, nullable=False),
    whole("created_at"),
    UniqueConstraint("organization_id", "name", "workflow_id", "job_key"),
    Index("locks_of_workflow", "workflow_id"),
    Index("locks_in_order", "organization_id", "name", "id"),
)
partial_index("locks_holder", "held", locks.c.organization_id, locks.c.name, unique=True)

outbox = Table(
    "outbox",
    metadata,
    identity(),
    fixed("kind"),
    words("subject"),
    encoded("payload"),
    whole("created_at"),
    whole("due_at"),
    whole("attempts", 0),
    words("error", ""),
    Index("outbox_due", "due_at", "id"),
    Index("outbox_in_order", "kind", "subject", "id"),
)

timers = Table(
    "timers",
    metadata,
    identity(),
    fixed("kind"),
    fixed("subject"),
    whole("due_at"),
    encoded("payload"),
    Index("timers_due", "due_at", "id"),
    UniqueConstraint("subject", "kind"),
)

followups = Table(
    "followups",
    metadata,
    identity(),
    unique_id(),
    parent("workflow_id", "workflows"),
    words("name"),
    fixed("status"),
    words("actor", ""),
    encoded("parameters", "{}"),
    Column("target", Text),
    whole("created_at"),
    maybe("started_at"),
    Index("followups_of_workflow", "workflow_id"),
    partial_index("followups_target", "target IS NOT NULL", "target"),
)
