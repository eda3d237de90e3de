"""Organizations and projects, and what they keep secret."""

from sqlalchemy import Boolean, Column, Index, LargeBinary, Table, Text, UniqueConstraint, text

from penstock.store.columns import (
    BytewiseWords,
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

organizations = Table(
    "organizations",
    metadata,
    identity(),
    unique_id(),
    Column("slug", BytewiseWords, nullable=False, unique=True),
    words("name"),
    whole("created_at"),
    encoded("settings", "{}"),
    maybe("deleted_at"),
    sqlite_autoincrement=True,
)
partial_index("organizations_deleted", "deleted_at IS NOT NULL", organizations.c.id)

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
    maybe("deleted_at"),
    Column("public", Boolean, nullable=False, server_default=text("false")),
    Index("projects_of_organization", "organization_id", "slug"),
    sqlite_autoincrement=True,
)
partial_index("projects_deleted", "deleted_at IS NOT NULL", projects.c.id)

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

context_restrictions = Table(
    "context_restrictions",
    metadata,
    identity(),
    unique_id(),
    parent("context_id", "contexts"),
    fixed("kind"),
    Column("value", BytewiseWords, nullable=False),
    whole("created_at"),
    UniqueConstraint("context_id", "kind", "value"),
)
