"""Version 0008: groups of people, and contexts that say that they are for everyone."""

import time
from uuid import uuid4

import sqlalchemy as sa
from alembic import op

from penstock.store.migrations.parts import (
    BYTEWISE,
    ROW_ID,
    TEXT,
    WHOLE,
    columns,
    identity,
    make_index,
    parent,
    primary_key,
    unique,
)

revision = "0008"
down_revision = "0007"

EVERYONE = "00000000-0000-0000-0000-000000000000"


def upgrade() -> None:
    """The tables exist, and contexts that no group was named for are for everyone, as they were."""
    make_groups()
    open_contexts()


def make_groups() -> None:
    """Groups and their members, who are members of the organization."""
    op.create_table(
        "people_groups",
        identity(),
        *columns(TEXT, "uuid"),
        parent("people_groups", "organization_id", "organizations"),
        *columns(BYTEWISE, "name"),
        *columns(TEXT, "description"),
        *columns(WHOLE, "created_at"),
        primary_key("people_groups", "id"),
        unique("people_groups", "uuid"),
        unique("people_groups", "organization_id", "name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "people_group_members",
        parent("people_group_members", "group_id", "people_groups"),
        *columns(ROW_ID, "user_id", "organization_id"),
        *columns(WHOLE, "created_at"),
        primary_key("people_group_members", "group_id", "user_id"),
        sa.ForeignKeyConstraint(
            ["user_id", "organization_id"],
            ["memberships.user_id", "memberships.organization_id"],
            name="people_group_members_user_id_organization_id_fkey",
            ondelete="CASCADE",
        ),
    )
    make_index("people_group_members_of_user", "people_group_members", "user_id", "organization_id")


def open_contexts() -> None:
    """Each context that had no restriction by group has one to everyone: to have none means nobody now."""
    tx = op.get_bind()
    found = "SELECT id FROM contexts WHERE id NOT IN (SELECT context_id FROM context_restrictions"
    wanted = tx.execute(sa.text(f"{found} WHERE kind = 'group') ORDER BY id")).scalars().all()
    insert = """INSERT INTO context_restrictions (uuid, context_id, kind, value, created_at)
        VALUES (:uuid, :context, 'group', :value, :now)"""
    now = round(time.time() * 1000)
    for context in wanted:
        values = {"uuid": str(uuid4()), "context": context, "value": EVERYONE, "now": now}
        tx.execute(sa.text(insert), values)
