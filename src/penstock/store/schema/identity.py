"""What vouches for jobs: the keys that sign identity tokens, and what people set about the tokens."""

from sqlalchemy import Column, Index, LargeBinary, Table, UniqueConstraint

from penstock.store.columns import (
    Encoded,
    encoded,
    fixed,
    identity,
    maybe,
    maybe_parent,
    parent,
    partial_index,
    whole,
)
from penstock.store.schema.metadata import metadata

signing_keys = Table(
    "signing_keys",
    metadata,
    identity(),
    fixed("kid"),
    encoded("public"),
    Column("sealed", LargeBinary, nullable=False),
    whole("created_at"),
    whole("signs_at"),
    UniqueConstraint("kid"),
    Index("signing_keys_in_turn", "signs_at", "id"),
)

custom_claims = Table(
    "custom_claims",
    metadata,
    identity(),
    parent("organization_id", "organizations"),
    maybe_parent("project_id", "projects"),
    Column("audience", Encoded, nullable=True),
    maybe("audience_updated_at"),
    maybe("ttl"),
    maybe("ttl_updated_at"),
    UniqueConstraint("project_id"),
    Index("custom_claims_by_organization", "organization_id"),
)
partial_index(
    "custom_claims_of_organization", "project_id IS NULL", custom_claims.c.organization_id, unique=True
)
