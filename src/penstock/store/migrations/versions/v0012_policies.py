"""Version 0012: config policies and their decisions."""

from alembic import op

from penstock.store.migrations.parts import (
    FLAG,
    TEXT,
    WHOLE,
    columns,
    identity,
    make_index,
    parent,
    primary_key,
    unique,
)

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """The tables of policies, bundles, settings and decisions exist."""
    _make_bundles()
    table = "policy_settings"
    op.create_table(
        table,
        parent(table, "organization_id", "organizations"),
        *columns(FLAG, "enabled"),
        parent(table, "bundle_id", "policy_bundles", nullable=True),
        primary_key(table, "organization_id"),
    )
    make_index("policy_settings_of_bundle", table, "bundle_id")
    _make_decisions()


def _make_bundles() -> None:
    table = "policy_documents"
    op.create_table(
        table,
        identity(),
        parent(table, "organization_id", "organizations"),
        *columns(TEXT, "name", "content", "hash"),
        *columns(WHOLE, "created_at"),
        *columns(TEXT, "created_by"),
        primary_key(table, "id"),
    )
    make_index("policy_documents_of_organization", table, "organization_id")
    table = "policy_bundles"
    op.create_table(
        table,
        identity(),
        parent(table, "organization_id", "organizations"),
        *columns(WHOLE, "created_at"),
        primary_key(table, "id"),
    )
    make_index("policy_bundles_of_organization", table, "organization_id")
    table = "policy_members"
    op.create_table(
        table,
        parent(table, "bundle_id", "policy_bundles"),
        parent(table, "document_id", "policy_documents"),
        primary_key(table, "bundle_id", "document_id"),
    )
    make_index("policy_members_of_document", table, "document_id")


def _make_decisions() -> None:
    table = "policy_decisions"
    op.create_table(
        table,
        identity(),
        *columns(TEXT, "uuid"),
        parent(table, "organization_id", "organizations"),
        parent(table, "bundle_id", "policy_bundles", nullable=True),
        parent(table, "pipeline_id", "pipelines", nullable=True),
        *columns(WHOLE, "created_at"),
        *columns(TEXT, "status", "branch", "project", "build_number", "decision", "metadata"),
        *columns(WHOLE, "time_taken_ms"),
        primary_key(table, "id"),
        unique(table, "uuid"),
    )
    make_index("policy_decisions_of_organization", table, "organization_id", "id")
    make_index("policy_decisions_of_pipeline", table, "pipeline_id")
    make_index("policy_decisions_of_bundle", table, "bundle_id")
