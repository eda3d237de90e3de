"""Those who run tasks, the groups they belong to, and the tokens they join with."""

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

agent_groups = Table(
    "agent_groups",
    metadata,
    identity(),
    unique_id(),
    maybe_parent("organization_id", "organizations"),
    Column("name", BytewiseWords, nullable=False, unique=True),
    words("description"),
    whole("created_at"),
    Index("agent_groups_of_organization", "organization_id", "name"),
    sqlite_autoincrement=True,
)

agent_tokens = Table(
    "agent_tokens",
    metadata,
    identity(),
    unique_id(),
    parent("group_id", "agent_groups"),
    Column("hash", Text, nullable=False, unique=True),
    words("label"),
    whole("created_at"),
    maybe("used_at"),
    Index("agent_tokens_of_group", "group_id", "id"),
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
    maybe_parent("group_id", "agent_groups"),
    words("version", ""),
    fixed("state", "online"),
)
partial_index("agents_of_group", "group_id IS NOT NULL", agents.c.group_id, agents.c.id)
partial_index("agents_present", "state <> 'gone'", agents.c.seen_at)
partial_index("agents_gone", "state = 'gone'", agents.c.seen_at)
