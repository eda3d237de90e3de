"""Version 0002: keys by which setup workflows continue their pipelines; tests know their attempt."""

import sqlalchemy as sa
from alembic import op

from penstock.store.migrations.parts import (
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

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """The table of keys exists, and rows of tests have an attempt, the first when nothing else was noted."""
    table = "continuations"
    op.create_table(
        table,
        identity(),
        parent(table, "pipeline_id", "pipelines"),
        *columns(TEXT, "task", "key_hash"),
        *columns(WHOLE, "created_at"),
        *columns(WHOLE, "used_at", nullable=True),
        column("request", TEXT, default="''"),
        primary_key(table, "id"),
        unique(table, "key_hash"),
    )
    make_index("continuations_of_pipeline", table, "pipeline_id")
    for each in ("test_cases", "test_summaries"):
        op.add_column(each, sa.Column("attempt", WHOLE, nullable=False, server_default=sa.text("1")))
