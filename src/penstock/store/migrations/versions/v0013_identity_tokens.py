"""Version 0013: the keys that sign identity tokens, and what people set about the tokens."""

from alembic import op

from penstock.store.migrations.parts import (
    BINARY,
    TEXT,
    WHOLE,
    columns,
    identity,
    make_index,
    parent,
    primary_key,
    unique,
)

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """The tables exist."""
    op.create_table(
        "signing_keys",
        identity(),
        *columns(TEXT, "kid", "public"),
        *columns(BINARY, "sealed"),
        *columns(WHOLE, "created_at", "signs_at"),
        primary_key("signing_keys", "id"),
        unique("signing_keys", "kid"),
    )
    make_index("signing_keys_in_turn", "signing_keys", "signs_at", "id")
    table = "custom_claims"
    op.create_table(
        table,
        identity(),
        parent(table, "organization_id", "organizations"),
        parent(table, "project_id", "projects", nullable=True),
        *columns(TEXT, "audience", nullable=True),
        *columns(WHOLE, "audience_updated_at", "ttl", "ttl_updated_at", nullable=True),
        primary_key(table, "id"),
        unique(table, "project_id"),
    )
    make_index(
        "custom_claims_of_organization", table, "organization_id", unique=True, where="project_id IS NULL"
    )
    make_index("custom_claims_by_organization", table, "organization_id")
