"""Groups of people in an organization: whom a context may be for."""

from sqlalchemy import Column, ForeignKeyConstraint, Index, Table, UniqueConstraint

from penstock.store.columns import ROW_ID, BytewiseWords, identity, parent, unique_id, whole, words
from penstock.store.schema.metadata import metadata

people_groups = Table(
    "people_groups",
    metadata,
    identity(),
    unique_id(),
    parent("organization_id", "organizations"),
    Column("name", BytewiseWords, nullable=False),
    words("description"),
    whole("created_at"),
    UniqueConstraint("organization_id", "name"),
    sqlite_autoincrement=True,
)

# Whoever leaves the organization leaves its groups: a member is one by virtue of the membership.
people_group_members = Table(
    "people_group_members",
    metadata,
    parent("group_id", "people_groups", key=True),
    Column("user_id", ROW_ID, primary_key=True, autoincrement=False),
    Column("organization_id", ROW_ID, nullable=False, autoincrement=False),
    whole("created_at"),
    ForeignKeyConstraint(
        ["user_id", "organization_id"],
        ["memberships.user_id", "memberships.organization_id"],
        ondelete="CASCADE",
    ),
    Index("people_group_members_of_user", "user_id", "organization_id"),
)
