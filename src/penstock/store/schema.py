"""Every table of the store, for both databases: the one place where a column is named.

Times are milliseconds since the epoch. A row that is reached from outside has a UUID beside its integer
key. What is large and seldom read (configs, plans, log bytes) has a table of its own, so that lists stay
light. Rows of a run go away with the row above them.
"""

from sqlalchemy import Boolean, Column, Float, Index, LargeBinary, MetaData, Table, Text, UniqueConstraint

from penstock.store.columns import (
    BytewiseWords,
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

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    }
)

organizations = Table(
    "organizations",
    metadata,
    identity(),
    unique_id(),
    Column("slug", BytewiseWords, nullable=False, unique=True),
    words("name"),
    whole("created_at"),
    encoded("settings", "{}"),
    sqlite_autoincrement=True,
)

projects = Table(
    "projects",
    metadata,
    identity(),
    unique_id(),
    parent("organization_id", "organizations"),
    Column("slug", BytewiseWords, nullable=False, unique=True),
    words("name"),
    words("url"),
    words("default_branch"),
    whole("created_at"),
    encoded("settings", "{}"),
    Index("projects_of_organization", "organization_id"),
    sqlite_autoincrement=True,
)

counters = Table(
    "counters",
    metadata,
    parent("project_id", "projects", key=True),
    Column("kind", Text, primary_key=True),
    whole("value"),
)

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
    encoded("flags", "{}"),
    Index("workflows_of_pipeline", "pipeline_id"),
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
    UniqueConstraint("project_id", "scope", "key"),
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

contexts = Table(
    "contexts",
    metadata,
    identity(),
    unique_id(),
    parent("organization_id", "organizations"),
    words("name"),
    whole("created_at"),
    UniqueConstraint("organization_id", "name"),
)

context_variables = Table(
    "context_variables",
    metadata,
    parent("context_id", "contexts", key=True),
    Column("name", BytewiseWords, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    whole("created_at"),
    whole("updated_at"),
)

project_variables = Table(
    "project_variables",
    metadata,
    parent("project_id", "projects", key=True),
    Column("name", BytewiseWords, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    whole("created_at"),
    whole("updated_at"),
)

secrets = Table(
    "secrets",
    metadata,
    identity(),
    unique_id(),
    fixed("owner"),
    words("name"),
    Column("sealed", LargeBinary, nullable=False),
    whole("created_at"),
    whole("updated_at"),
    UniqueConstraint("owner", "name"),
)

locks = Table(
    "locks",
    metadata,
    identity(),
    parent("organization_id", "organizations"),
    words("name"),
    parent("workflow_id", "workflows"),
    words("job_key"),
    Column("held", Boolean, nullable=False),
    whole("created_at"),
    UniqueConstraint("organization_id", "name", "workflow_id", "job_key"),
    Index("locks_of_workflow", "workflow_id"),
    Index("locks_in_order", "organization_id", "name", "id"),
)
partial_index("locks_holder", "held", locks.c.organization_id, locks.c.name, unique=True)

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
)

outbox = Table(
    "outbox",
    metadata,
    identity(),
    fixed("kind"),
    words("subject"),
    encoded("payload"),
    whole("created_at"),
    whole("due_at"),
    whole("attempts", 0),
    words("error", ""),
    Index("outbox_due", "due_at", "id"),
)

timers = Table(
    "timers",
    metadata,
    identity(),
    fixed("kind"),
    fixed("subject"),
    whole("due_at"),
    encoded("payload"),
    Index("timers_due", "due_at", "id"),
    UniqueConstraint("subject", "kind"),
)

followups = Table(
    "followups",
    metadata,
    identity(),
    unique_id(),
    parent("workflow_id", "workflows"),
    words("name"),
    fixed("status"),
    words("actor", ""),
    encoded("parameters", "{}"),
    Column("target", Text),
    whole("created_at"),
    maybe("started_at"),
    Index("followups_of_workflow", "workflow_id"),
    partial_index("followups_target", "target IS NOT NULL", "target"),
)
