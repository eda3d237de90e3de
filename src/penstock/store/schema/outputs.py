"""What jobs leave behind for people and for later jobs."""

from sqlalchemy import Column, Float, Index, Table, UniqueConstraint

from penstock.store.columns import (
    BytewiseWords,
    binary,
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

artifacts = Table(
    "artifacts",
    metadata,
    identity(),
    unique_id(),
    parent("job_id", "jobs"),
    whole("task_index"),
    Column("path", BytewiseWords, nullable=False),
    whole("size"),
    fixed("blob"),
    whole("created_at"),
    UniqueConstraint("job_id", "task_index", "path"),
)

test_cases = Table(
    "test_cases",
    metadata,
    identity(),
    parent("job_id", "jobs"),
    whole("task_index"),
    words("name"),
    words("classname"),
    words("file"),
    words("source"),
    fixed("result"),
    Column("seconds", Float(53), nullable=False),
    words("message"),
    whole("attempt", 1),
    Index("test_cases_of_job", "job_id"),
)

test_summaries = Table(
    "test_summaries",
    metadata,
    identity(),
    parent("project_id", "projects"),
    words("job_name"),
    parent("job_id", "jobs"),
    whole("task_index"),
    whole("created_at"),
    whole("total"),
    whole("failed"),
    whole("skipped"),
    Column("seconds", Float(53), nullable=False),
    binary("timings"),
    whole("attempt", 1),
    Index("test_summaries_by_name", "project_id", "job_name", "job_id"),
    Index("test_summaries_of_job", "job_id"),
)

caches = Table(
    "caches",
    metadata,
    identity(),
    parent("project_id", "projects"),
    words("scope"),
    Column("key", BytewiseWords, nullable=False),
    fixed("blob"),
    whole("size"),
    whole("created_at"),
    maybe("expires_at"),
    UniqueConstraint("project_id", "scope", "key"),
    Index("caches_of_blob", "project_id", "blob"),
    partial_index("caches_expiring", "expires_at IS NOT NULL", "expires_at"),
)

workspace_layers = Table(
    "workspace_layers",
    metadata,
    identity(),
    fixed("workspace"),
    words("job_key"),
    whole("task_index"),
    fixed("blob"),
    whole("size"),
    whole("created_at"),
    Index("workspace_layers_in_order", "workspace", "id"),
)
