"""What runs, from the pipeline down to the chunk of a step's output."""

from sqlalchemy import Column, Index, Table, Text, UniqueConstraint

from penstock.store.columns import (
    BytewiseWords,
    Encoded,
    binary,
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

pipelines = Table(
    "pipelines",
    metadata,
    identity(),
    unique_id(),
    parent("project_id", "projects"),
    whole("number"),
    fixed("status"),
    whole("created_at"),
    whole("updated_at"),
    fixed("trigger"),
    words("actor"),
    words("branch"),
    encoded("revision"),
    fixed("language"),
    encoded("parameters"),
    encoded("errors", "[]"),
    words("owner", ""),
    encoded("labels", "{}"),
    UniqueConstraint("project_id", "number"),
    Index("pipelines_of_project", "project_id", "id"),
    Index("pipelines_of_branch", "project_id", "branch", "id"),
    Index("pipelines_of_actor", "project_id", "actor", "id"),
    partial_index("pipelines_owned", "owner <> ''", "owner"),
    sqlite_autoincrement=True,
)

pipeline_configs = Table(
    "pipeline_configs",
    metadata,
    parent("pipeline_id", "pipelines", key=True),
    Column("name", BytewiseWords, primary_key=True),
    binary("source"),
    binary("compiled"),
    binary("plan"),
)

continuations = Table(
    "continuations",
    metadata,
    identity(),
    parent("pipeline_id", "pipelines"),
    fixed("task"),
    fixed("key_hash"),
    whole("created_at"),
    maybe("used_at"),
    fixed("request", ""),
    UniqueConstraint("key_hash"),
    Index("continuations_of_pipeline", "pipeline_id"),
)

workflows = Table(
    "workflows",
    metadata,
    identity(),
    unique_id(),
    parent("pipeline_id", "pipelines"),
    parent("project_id", "projects"),
    words("key"),
    words("name"),
    fixed("status"),
    fixed("reason"),
    whole("created_at"),
    maybe("started_at"),
    maybe("stopped_at"),
    fixed("workspace"),
    Column("rerun_of", Text),
    whole("auto_rerun_number", 0),
    words("tag", ""),
    words("started_by", ""),
    words("canceled_by", ""),
    encoded("flags", "{}"),
    whole("version", 0),
    Index("workflows_of_pipeline", "pipeline_id", "id"),
    Index("workflows_of_project", "project_id", "id"),
    partial_index("workflows_open", "stopped_at IS NULL", "project_id", "id"),
    partial_index("workflows_rerun", "rerun_of IS NOT NULL", "rerun_of"),
    sqlite_autoincrement=True,
)

workflow_plans = Table(
    "workflow_plans",
    metadata,
    parent("workflow_id", "workflows", key=True),
    binary("plan"),
)

jobs = Table(
    "jobs",
    metadata,
    identity(),
    unique_id(),
    parent("workflow_id", "workflows"),
    parent("project_id", "projects"),
    maybe("number"),
    words("key"),
    words("name"),
    fixed("kind"),
    fixed("status"),
    fixed("reason"),
    whole("attempt"),
    whole("parallelism"),
    whole("created_at"),
    maybe("queued_at"),
    maybe("started_at"),
    maybe("stopped_at"),
    words("message", ""),
    words("approved_by", ""),
    words("canceled_by", ""),
    encoded("flags", "{}"),
    UniqueConstraint("workflow_id", "key"),
    UniqueConstraint("project_id", "number"),
    sqlite_autoincrement=True,
)

job_plans = Table(
    "job_plans",
    metadata,
    parent("job_id", "jobs", key=True),
    binary("plan"),
)

tasks = Table(
    "tasks",
    metadata,
    identity(),
    unique_id(),
    parent("job_id", "jobs"),
    whole("index"),
    whole("attempt"),
    fixed("status"),
    fixed("reason"),
    maybe("agent_id"),
    maybe("lease_until"),
    whole("queued_at"),
    maybe("started_at"),
    maybe("stopped_at"),
    words("message", ""),
    whole("priority"),
    words("queue_key"),
    whole("last_sequence", 0),
    Column("used", Encoded, nullable=True),
    UniqueConstraint("job_id", "attempt", "index"),
    sqlite_autoincrement=True,
)
partial_index("tasks_queued", "status = 'queued'", tasks.c.queue_key, tasks.c.priority.desc(), tasks.c.id)
partial_index("tasks_leased", "lease_until IS NOT NULL", tasks.c.lease_until)
partial_index("tasks_held", "lease_until IS NOT NULL", tasks.c.agent_id)

steps = Table(
    "steps",
    metadata,
    parent("task_id", "tasks", key=True),
    Column("index", whole("index").type, primary_key=True, autoincrement=False),
    words("name"),
    fixed("kind"),
    fixed("status"),
    whole("started_at"),
    maybe("stopped_at"),
    maybe("exit_code"),
    words("message", ""),
)

log_chunks = Table(
    "log_chunks",
    metadata,
    identity(),
    parent("task_id", "tasks"),
    whole("step"),
    whole("sequence"),
    whole("first_line"),
    whole("lines"),
    whole("offset"),
    whole("size"),
    whole("created_at"),
    Column("blob", Text),
    binary("data", nullable=True),
    UniqueConstraint("task_id", "step", "offset"),
    Index("log_chunks_by_line", "task_id", "step", "first_line", "offset"),
)
