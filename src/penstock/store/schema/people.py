"""People: what they are where, the tokens that speak for them, what they follow, and what they did."""

from sqlalchemy import Boolean, Column, Index, Table, Text

from penstock.store.columns import (
    BytewiseWords,
    encoded,
    fixed,
    identity,
    maybe,
    maybe_parent,
    parent,
    partial_index,
    unique_id,
    whole,
    words,
)
from penstock.store.schema.metadata import metadata

users = Table(
    "users",
    metadata,
    identity(),
    unique_id(),
    words("login"),
    Column("login_key", BytewiseWords, nullable=False, unique=True),
    words("name"),
    words("email"),
    words("avatar_url"),
    Column("password", Text),
    Column("admin", Boolean, nullable=False),
    whole("created_at"),
    maybe("disabled_at"),
    sqlite_autoincrement=True,
)

memberships = Table(
    "memberships",
    metadata,
    parent("user_id", "users", key=True),
    parent("organization_id", "organizations", key=True),
    fixed("role"),
    whole("created_at"),
    Index("memberships_of_organization", "organization_id", "user_id"),
)

api_tokens = Table(
    "api_tokens",
    metadata,
    identity(),
    unique_id(),
    parent("user_id", "users"),
    Column("hash", Text, nullable=False, unique=True),
    words("label"),
    encoded("scopes"),
    maybe_parent("organization_id", "organizations"),
    maybe_parent("project_id", "projects"),
    whole("created_at"),
    maybe("expires_at"),
    maybe("revoked_at"),
    maybe("used_at"),
    Index("api_tokens_of_user", "user_id", "id"),
    sqlite_autoincrement=True,
)
partial_index("api_tokens_of_organization", "organization_id IS NOT NULL", api_tokens.c.organization_id)
partial_index("api_tokens_of_project", "project_id IS NOT NULL", api_tokens.c.project_id)

follows = Table(
    "follows",
    metadata,
    parent("user_id", "users", key=True),
    parent("project_id", "projects", key=True),
    whole("created_at"),
    Index("follows_of_project", "project_id"),
)

hook_deliveries = Table(
    "hook_deliveries",
    metadata,
    Column("host", Text, primary_key=True),
    Column("delivery", BytewiseWords, primary_key=True),
    whole("received_at"),
    Index("hook_deliveries_in_order", "received_at"),
)

audit_log = Table(
    "audit_log",
    metadata,
    identity(),
    whole("at"),
    words("actor"),
    fixed("actor_uuid"),
    fixed("token"),
    fixed("action"),
    fixed("subject"),
    fixed("organization"),
    encoded("details"),
    Index("audit_log_of_organization", "organization", "id"),
    sqlite_autoincrement=True,
)
