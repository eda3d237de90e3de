"""Organizations and projects, what they keep secret, and the agents that serve them."""

from sqlalchemy import Boolean, Column, Index, LargeBinary, Table, Text, UniqueConstraint

from penstock.store.columns import BytewiseWords, encoded, fixed, identity, parent, unique_id, whole, words
from penstock.store.schema.metadata import metadata

organizations = Table(
    "organizations",
    metadata,
    identity(),
    unique_id(),
    Column("slug", BytewiseWords, nullable=False, unique=True),
    words("name"),
    whole("created_at"),
    encoded("settings", "{}"),
    sqlite_autoincrement=True,
)

projects = Table(
    "projects",
    metadata,
    identity(),
    unique_id(),
    parent("organization_id", "organizations"),
    Column("slug", BytewiseWords, nullable=False, unique=True),
    words("name"),
    words("url"),
    words("default_branch"),
    whole("created_at"),
    encoded("settings", "{}"),
    Index("projects_of_organization", "organization_id"),
    sqlite_autoincrement=True,
)

counters = Table(
    "counters",
    metadata,
    parent("project_id", "projects", key=True),
    Column("kind", Text, primary_key=True),
    whole("value"),
)

contexts = Table(
    "contexts",
    metadata,
    identity(),
    unique_id(),
    parent("organization_id", "organizations"),
    words("name"),
    whole("created_at"),
    UniqueConstraint("organization_id", "name"),
)

context_variables = Table(
    "context_variables",
    metadata,
    parent("context_id", "contexts", key=True),
    Column("name", BytewiseWords, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    whole("created_at"),
    whole("updated_at"),
)

project_variables = Table(
    "project_variables",
    metadata,
    parent("project_id", "projects", key=True),
    Column("name", BytewiseWords, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    whole("created_at"),
    whole("updated_at"),
)

secrets = Table(
    "secrets",
    metadata,
    identity(),
    unique_id(),
    fixed("owner"),
    words("name"),
    Column("sealed", LargeBinary, nullable=False),
    whole("created_at"),
    whole("updated_at"),
    UniqueConstraint("owner", "name"),
)

agents = Table(
    "agents",
    metadata,
    identity(),
    unique_id(),
    words("name"),
    encoded("labels"),
    whole("slots"),
    whole("created_at"),
    whole("seen_at"),
    Column("disabled", Boolean, nullable=False),
    Column("token_hash", Text, unique=True),
)
