"""What job runs used, kept when their pipelines have gone, and exports of it."""

from sqlalchemy import Column, Index, Table

from penstock.store.columns import (
    ROW_ID,
    encoded,
    fixed,
    identity,
    maybe,
    parent,
    unique_id,
    whole,
    words,
)
from penstock.store.schema.metadata import metadata

usage_workflows = Table(
    "usage_workflows",
    metadata,
    Column("id", ROW_ID, primary_key=True, autoincrement=False),  # that of the workflow, which may have gone
    parent("organization_id", "organizations"),
    fixed("uuid"),
    words("name"),
    fixed("project"),
    words("project_name"),
    fixed("project_slug"),
    words("url"),
    whole("project_created_at"),
    words("branch"),
    fixed("pipeline"),
    whole("pipeline_number"),
    whole("pipeline_created_at"),
    fixed("trigger"),
    words("actor"),
    maybe("queued_at"),
    maybe("started_at"),
    maybe("stopped_at"),
    fixed("status"),
    Index("usage_workflows_of_project", "organization_id", "project", "stopped_at"),
)

usage_runs = Table(
    "usage_runs",
    metadata,
    identity(),
    parent("organization_id", "organizations"),
    whole("workflow_id"),
    fixed("job"),
    maybe("number"),
    words("name"),
    fixed("status"),
    words("resource_class"),
    fixed("executor"),
    whole("parallelism"),
    maybe("queued_at"),
    whole("started_at"),
    whole("stopped_at"),
    whole("worked"),
    maybe("cpu_median"),
    maybe("cpu_max"),
    maybe("ram_median"),
    maybe("ram_max"),
    Index("usage_runs_in_order", "organization_id", "started_at", "id"),
)

usage_exports = Table(
    "usage_exports",
    metadata,
    identity(),
    unique_id(),
    parent("organization_id", "organizations"),
    encoded("organizations"),
    whole("start_at"),
    whole("end_at"),
    fixed("state"),
    whole("attempt", 0),
    words("error", ""),
    encoded("parts", "[]"),
    whole("created_at"),
    Index("usage_exports_of_organization", "organization_id"),
    Index("usage_exports_in_order", "created_at"),
)

usage_calls = Table(
    "usage_calls",
    metadata,
    identity(),
    parent("organization_id", "organizations"),
    fixed("verb"),
    whole("at"),
    Index("usage_calls_in_order", "organization_id", "verb", "at"),
)
