"""Config policies: their texts, the bundles they were pushed in, and what was decided by them."""

from sqlalchemy import Boolean, Column, Index, Table, Text

from penstock.store.columns import (
    encoded,
    fixed,
    identity,
    maybe_parent,
    parent,
    unique_id,
    whole,
    words,
)
from penstock.store.schema.metadata import metadata

policy_documents = Table(
    "policy_documents",
    metadata,
    identity(),
    parent("organization_id", "organizations"),
    words("name"),
    Column("content", Text, nullable=False),
    fixed("hash"),
    whole("created_at"),
    fixed("created_by"),
    Index("policy_documents_of_organization", "organization_id"),
)

policy_bundles = Table(
    "policy_bundles",
    metadata,
    identity(),
    parent("organization_id", "organizations"),
    whole("created_at"),
    Index("policy_bundles_of_organization", "organization_id"),
)

policy_members = Table(
    "policy_members",
    metadata,
    parent("bundle_id", "policy_bundles", key=True),
    parent("document_id", "policy_documents", key=True),
    Index("policy_members_of_document", "document_id"),
)

policy_settings = Table(
    "policy_settings",
    metadata,
    parent("organization_id", "organizations", key=True),
    Column("enabled", Boolean, nullable=False),
    maybe_parent("bundle_id", "policy_bundles"),
    Index("policy_settings_of_bundle", "bundle_id"),
)

policy_decisions = Table(
    "policy_decisions",
    metadata,
    identity(),
    unique_id(),
    parent("organization_id", "organizations"),
    maybe_parent("bundle_id", "policy_bundles"),
    maybe_parent("pipeline_id", "pipelines"),
    whole("created_at"),
    fixed("status"),
    words("branch"),
    words("project"),
    words("build_number"),
    encoded("decision"),
    encoded("metadata"),
    whole("time_taken_ms"),
    Index("policy_decisions_of_organization", "organization_id", "id"),
    Index("policy_decisions_of_pipeline", "pipeline_id"),
    Index("policy_decisions_of_bundle", "bundle_id"),
)
