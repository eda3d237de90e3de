"""Version 0004: who may do what. People and tokens, groups of agents, restrictions of contexts."""

import sqlalchemy as sa
from alembic import op

from penstock.store.migrations.parts import (
    BYTEWISE,
    FLAG,
    ROW_ID,
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

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """The tables exist, and organizations, projects and agents know more about themselves."""
    make_users()
    make_tokens()
    make_traces()
    make_groups()
    make_restrictions()
    extend_owners()
    extend_agents()
    make_index("caches_of_blob", "caches", "project_id", "blob")


def make_users() -> None:
    """People, what they are where, and what they follow."""
    op.create_table(
        "users",
        identity(),
        *columns(TEXT, "uuid", "login", "name", "email", "avatar_url"),
        *columns(BYTEWISE, "login_key"),
        *columns(TEXT, "password", nullable=True),
        *columns(FLAG, "admin"),
        *columns(WHOLE, "created_at"),
        *columns(WHOLE, "disabled_at", nullable=True),
        primary_key("users", "id"),
        unique("users", "login_key"),
        unique("users", "uuid"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "memberships",
        parent("memberships", "user_id", "users"),
        parent("memberships", "organization_id", "organizations"),
        *columns(TEXT, "role"),
        *columns(WHOLE, "created_at"),
        primary_key("memberships", "user_id", "organization_id"),
    )
    make_index("memberships_of_organization", "memberships", "organization_id", "user_id")
    op.create_table(
        "follows",
        parent("follows", "user_id", "users"),
        parent("follows", "project_id", "projects"),
        *columns(WHOLE, "created_at"),
        primary_key("follows", "user_id", "project_id"),
    )
    make_index("follows_of_project", "follows", "project_id")


def make_tokens() -> None:
    """What speaks for people."""
    table = "api_tokens"
    op.create_table(
        table,
        identity(),
        *columns(TEXT, "uuid", "hash", "label", "scopes"),
        parent(table, "user_id", "users"),
        parent(table, "organization_id", "organizations", nullable=True),
        parent(table, "project_id", "projects", nullable=True),
        *columns(WHOLE, "created_at"),
        *columns(WHOLE, "expires_at", "revoked_at", "used_at", nullable=True),
        primary_key(table, "id"),
        unique(table, "hash"),
        unique(table, "uuid"),
        sqlite_autoincrement=True,
    )
    make_index("api_tokens_of_user", table, "user_id", "id")
    make_index("api_tokens_of_organization", table, "organization_id", where="organization_id IS NOT NULL")
    make_index("api_tokens_of_project", table, "project_id", where="project_id IS NOT NULL")


def make_traces() -> None:
    """What was done, and which hooks were heard."""
    op.create_table(
        "audit_log",
        identity(),
        *columns(WHOLE, "at"),
        *columns(TEXT, "actor", "actor_uuid", "token", "action", "subject", "organization", "details"),
        primary_key("audit_log", "id"),
        sqlite_autoincrement=True,
    )
    make_index("audit_log_of_organization", "audit_log", "organization", "id")
    op.create_table(
        "hook_deliveries",
        *columns(TEXT, "host"),
        *columns(BYTEWISE, "delivery"),
        *columns(WHOLE, "received_at"),
        primary_key("hook_deliveries", "host", "delivery"),
    )
    make_index("hook_deliveries_in_order", "hook_deliveries", "received_at")


def make_groups() -> None:
    """Groups of agents, and tokens to join them."""
    op.create_table(
        "agent_groups",
        identity(),
        *columns(TEXT, "uuid", "description"),
        *columns(BYTEWISE, "name"),
        parent("agent_groups", "organization_id", "organizations", nullable=True),
        *columns(WHOLE, "created_at"),
        primary_key("agent_groups", "id"),
        unique("agent_groups", "name"),
        unique("agent_groups", "uuid"),
        sqlite_autoincrement=True,
    )
    make_index("agent_groups_of_organization", "agent_groups", "organization_id", "name")
    op.create_table(
        "agent_tokens",
        identity(),
        *columns(TEXT, "uuid", "hash", "label"),
        parent("agent_tokens", "group_id", "agent_groups"),
        *columns(WHOLE, "created_at"),
        *columns(WHOLE, "used_at", nullable=True),
        primary_key("agent_tokens", "id"),
        unique("agent_tokens", "hash"),
        unique("agent_tokens", "uuid"),
    )
    make_index("agent_tokens_of_group", "agent_tokens", "group_id", "id")


def make_restrictions() -> None:
    """Who may use a context."""
    table = "context_restrictions"
    op.create_table(
        table,
        identity(),
        *columns(TEXT, "uuid", "kind"),
        parent(table, "context_id", "contexts"),
        *columns(BYTEWISE, "value"),
        *columns(WHOLE, "created_at"),
        primary_key(table, "id"),
        unique(table, "context_id", "kind", "value"),
        unique(table, "uuid"),
    )


def extend_owners() -> None:
    """Organizations and projects may be on their way out; projects are listed by slug."""
    for table in ("organizations", "projects"):
        op.add_column(table, *columns(WHOLE, "deleted_at", nullable=True))
        make_index(f"{table}_deleted", table, "id", where="deleted_at IS NOT NULL")
    op.drop_index("projects_of_organization", "projects")
    make_index("projects_of_organization", "projects", "organization_id", "slug")


def extend_agents() -> None:
    """Agents have a group, a version and a state."""
    reference = sa.ForeignKey("agent_groups.id", ondelete="CASCADE")
    op.add_column("agents", sa.Column("group_id", ROW_ID, reference), inline_references=True)
    op.add_column("agents", column("version", TEXT, default="''"))
    op.add_column("agents", column("state", TEXT, default="'online'"))
    make_index("agents_of_group", "agents", "group_id", "id", where="group_id IS NOT NULL")
    make_index("agents_present", "agents", "seen_at", where="state <> 'gone'")
    make_index("agents_gone", "agents", "seen_at", where="state = 'gone'")
