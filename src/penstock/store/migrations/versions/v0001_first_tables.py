"""Version 0001: the first tables.

Written out and not taken from the schema, which goes on to change.
"""

from alembic import op

from penstock.store.migrations.parts import (
    BINARY,
    BYTEWISE,
    FLAG,
    REAL,
    TEXT,
    WHOLE,
    column,
    columns,
    identity,
    make_index,
    parent,
    primary_key,
    unique,
)

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Every table of version 0001 exists afterwards."""
    make_owners()
    make_agents()
    make_secrets()
    make_pipelines()
    make_workflows()
    make_jobs()
    make_tasks()
    make_outputs()
    make_caches()
    make_locks()
    make_promises()


def make_owners() -> None:
    """Organizations, projects and their numbers."""
    op.create_table(
        "organizations",
        identity(),
        *columns(TEXT, "uuid"),
        *columns(BYTEWISE, "slug"),
        *columns(TEXT, "name"),
        *columns(WHOLE, "created_at"),
        column("settings", TEXT, default="'{}'"),
        primary_key("organizations", "id"),
        unique("organizations", "slug"),
        unique("organizations", "uuid"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "projects",
        identity(),
        *columns(TEXT, "uuid"),
        parent("projects", "organization_id", "organizations"),
        *columns(BYTEWISE, "slug"),
        *columns(TEXT, "name", "url", "default_branch"),
        *columns(WHOLE, "created_at"),
        column("settings", TEXT, default="'{}'"),
        primary_key("projects", "id"),
        unique("projects", "slug"),
        unique("projects", "uuid"),
        sqlite_autoincrement=True,
    )
    make_index("projects_of_organization", "projects", "organization_id")
    op.create_table(
        "counters",
        parent("counters", "project_id", "projects"),
        *columns(TEXT, "kind"),
        *columns(WHOLE, "value"),
        primary_key("counters", "project_id", "kind"),
    )


def make_agents() -> None:
    """Those who run tasks."""
    op.create_table(
        "agents",
        identity(),
        *columns(TEXT, "uuid", "name", "labels"),
        *columns(WHOLE, "slots", "created_at", "seen_at"),
        *columns(FLAG, "disabled"),
        *columns(TEXT, "token_hash", nullable=True),
        primary_key("agents", "id"),
        unique("agents", "token_hash"),
        unique("agents", "uuid"),
    )


def make_secrets() -> None:
    """Sealed values and the contexts that hold some."""
    op.create_table(
        "contexts",
        identity(),
        *columns(TEXT, "uuid"),
        parent("contexts", "organization_id", "organizations"),
        *columns(TEXT, "name"),
        *columns(WHOLE, "created_at"),
        primary_key("contexts", "id"),
        unique("contexts", "organization_id", "name"),
        unique("contexts", "uuid"),
    )
    op.create_table(
        "context_variables",
        parent("context_variables", "context_id", "contexts"),
        *columns(BYTEWISE, "name"),
        *columns(BINARY, "sealed"),
        *columns(WHOLE, "created_at", "updated_at"),
        primary_key("context_variables", "context_id", "name"),
    )
    op.create_table(
        "project_variables",
        parent("project_variables", "project_id", "projects"),
        *columns(BYTEWISE, "name"),
        *columns(BINARY, "sealed"),
        *columns(WHOLE, "created_at", "updated_at"),
        primary_key("project_variables", "project_id", "name"),
    )
    op.create_table(
        "secrets",
        identity(),
        *columns(TEXT, "uuid", "owner", "name"),
        *columns(BINARY, "sealed"),
        *columns(WHOLE, "created_at", "updated_at"),
        primary_key("secrets", "id"),
        unique("secrets", "owner", "name"),
        unique("secrets", "uuid"),
    )


def make_pipelines() -> None:
    """Pipelines and their configs."""
    op.create_table(
        "pipelines",
        identity(),
        *columns(TEXT, "uuid"),
        parent("pipelines", "project_id", "projects"),
        *columns(WHOLE, "number"),
        *columns(TEXT, "status"),
        *columns(WHOLE, "created_at", "updated_at"),
        *columns(TEXT, "trigger", "actor", "branch", "revision", "language", "parameters"),
        column("errors", TEXT, default="'[]'"),
        column("owner", TEXT, default="''"),
        column("labels", TEXT, default="'{}'"),
        primary_key("pipelines", "id"),
        unique("pipelines", "project_id", "number"),
        unique("pipelines", "uuid"),
        sqlite_autoincrement=True,
    )
    make_index("pipelines_of_branch", "pipelines", "project_id", "branch", "id")
    make_index("pipelines_of_project", "pipelines", "project_id", "id")
    make_index("pipelines_owned", "pipelines", "owner", where="owner <> ''")
    op.create_table(
        "pipeline_configs",
        parent("pipeline_configs", "pipeline_id", "pipelines"),
        *columns(BYTEWISE, "name"),
        *columns(BINARY, "source", "compiled", "plan"),
        primary_key("pipeline_configs", "pipeline_id", "name"),
    )


def make_workflows() -> None:
    """Workflows and their plans."""
    op.create_table(
        "workflows",
        identity(),
        *columns(TEXT, "uuid"),
        parent("workflows", "pipeline_id", "pipelines"),
        parent("workflows", "project_id", "projects"),
        *columns(TEXT, "key", "name", "status", "reason", "workspace"),
        *columns(WHOLE, "created_at"),
        *columns(WHOLE, "started_at", "stopped_at", nullable=True),
        *columns(TEXT, "rerun_of", nullable=True),
        column("auto_rerun_number", WHOLE, default="0"),
        column("tag", TEXT, default="''"),
        column("flags", TEXT, default="'{}'"),
        column("version", WHOLE, default="0"),
        primary_key("workflows", "id"),
        unique("workflows", "uuid"),
        sqlite_autoincrement=True,
    )
    make_index("workflows_of_pipeline", "workflows", "pipeline_id")
    make_index("workflows_of_project", "workflows", "project_id", "id")
    make_index("workflows_open", "workflows", "project_id", "id", where="stopped_at IS NULL")
    make_index("workflows_rerun", "workflows", "rerun_of", where="rerun_of IS NOT NULL")
    op.create_table(
        "workflow_plans",
        parent("workflow_plans", "workflow_id", "workflows"),
        *columns(BINARY, "plan"),
        primary_key("workflow_plans", "workflow_id"),
    )


def make_jobs() -> None:
    """Jobs and their plans."""
    op.create_table(
        "jobs",
        identity(),
        *columns(TEXT, "uuid"),
        parent("jobs", "workflow_id", "workflows"),
        parent("jobs", "project_id", "projects"),
        *columns(WHOLE, "number", nullable=True),
        *columns(TEXT, "key", "name", "kind", "status", "reason"),
        *columns(WHOLE, "attempt", "parallelism", "created_at"),
        *columns(WHOLE, "queued_at", "started_at", "stopped_at", nullable=True),
        column("message", TEXT, default="''"),
        column("approved_by", TEXT, default="''"),
        column("flags", TEXT, default="'{}'"),
        primary_key("jobs", "id"),
        unique("jobs", "project_id", "number"),
        unique("jobs", "uuid"),
        unique("jobs", "workflow_id", "key"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "job_plans",
        parent("job_plans", "job_id", "jobs"),
        *columns(BINARY, "plan"),
        primary_key("job_plans", "job_id"),
    )


def make_tasks() -> None:
    """Tasks, their steps and what these printed."""
    op.create_table(
        "tasks",
        identity(),
        *columns(TEXT, "uuid"),
        parent("tasks", "job_id", "jobs"),
        *columns(WHOLE, "index", "attempt"),
        *columns(TEXT, "status", "reason"),
        *columns(WHOLE, "agent_id", "lease_until", nullable=True),
        *columns(WHOLE, "queued_at"),
        *columns(WHOLE, "started_at", "stopped_at", nullable=True),
        column("message", TEXT, default="''"),
        *columns(WHOLE, "priority"),
        *columns(TEXT, "queue_key"),
        column("last_sequence", WHOLE, default="0"),
        primary_key("tasks", "id"),
        unique("tasks", "job_id", "attempt", "index"),
        unique("tasks", "uuid"),
        sqlite_autoincrement=True,
    )
    make_index("tasks_held", "tasks", "agent_id", where="lease_until IS NOT NULL")
    make_index("tasks_leased", "tasks", "lease_until", where="lease_until IS NOT NULL")
    make_index("tasks_queued", "tasks", "queue_key", "priority DESC", "id", where="status = 'queued'")
    op.create_table(
        "steps",
        parent("steps", "task_id", "tasks"),
        *columns(WHOLE, "index"),
        *columns(TEXT, "name", "kind", "status"),
        *columns(WHOLE, "started_at"),
        *columns(WHOLE, "stopped_at", "exit_code", nullable=True),
        column("message", TEXT, default="''"),
        primary_key("steps", "task_id", "index"),
    )
    op.create_table(
        "log_chunks",
        identity(),
        parent("log_chunks", "task_id", "tasks"),
        *columns(WHOLE, "step", "sequence", "first_line", "lines", "offset", "size", "created_at"),
        *columns(TEXT, "blob", nullable=True),
        *columns(BINARY, "data", nullable=True),
        primary_key("log_chunks", "id"),
        unique("log_chunks", "task_id", "step", "offset"),
    )
    make_index("log_chunks_by_line", "log_chunks", "task_id", "step", "first_line", "offset")


def make_outputs() -> None:
    """Artifacts and test results."""
    op.create_table(
        "artifacts",
        identity(),
        *columns(TEXT, "uuid"),
        parent("artifacts", "job_id", "jobs"),
        *columns(WHOLE, "task_index"),
        *columns(BYTEWISE, "path"),
        *columns(WHOLE, "size"),
        *columns(TEXT, "blob"),
        *columns(WHOLE, "created_at"),
        primary_key("artifacts", "id"),
        unique("artifacts", "job_id", "task_index", "path"),
        unique("artifacts", "uuid"),
    )
    op.create_table(
        "test_cases",
        identity(),
        parent("test_cases", "job_id", "jobs"),
        *columns(WHOLE, "task_index"),
        *columns(TEXT, "name", "classname", "file", "source", "result"),
        *columns(REAL, "seconds"),
        *columns(TEXT, "message"),
        primary_key("test_cases", "id"),
    )
    make_index("test_cases_of_job", "test_cases", "job_id")
    op.create_table(
        "test_summaries",
        identity(),
        parent("test_summaries", "project_id", "projects"),
        *columns(TEXT, "job_name"),
        parent("test_summaries", "job_id", "jobs"),
        *columns(WHOLE, "task_index", "created_at", "total", "failed", "skipped"),
        *columns(REAL, "seconds"),
        *columns(BINARY, "timings"),
        primary_key("test_summaries", "id"),
    )
    make_index("test_summaries_by_name", "test_summaries", "project_id", "job_name", "job_id")
    make_index("test_summaries_of_job", "test_summaries", "job_id")


def make_caches() -> None:
    """Caches and workspaces."""
    op.create_table(
        "caches",
        identity(),
        parent("caches", "project_id", "projects"),
        *columns(TEXT, "scope"),
        *columns(BYTEWISE, "key"),
        *columns(TEXT, "blob"),
        *columns(WHOLE, "size", "created_at"),
        primary_key("caches", "id"),
        unique("caches", "project_id", "scope", "key"),
    )
    op.create_table(
        "workspace_layers",
        identity(),
        *columns(TEXT, "workspace", "job_key"),
        *columns(WHOLE, "task_index"),
        *columns(TEXT, "blob"),
        *columns(WHOLE, "size", "created_at"),
        primary_key("workspace_layers", "id"),
    )
    make_index("workspace_layers_in_order", "workspace_layers", "workspace", "id")


def make_locks() -> None:
    """Who holds what, and who waits."""
    op.create_table(
        "locks",
        identity(),
        parent("locks", "organization_id", "organizations"),
        *columns(TEXT, "name"),
        parent("locks", "workflow_id", "workflows"),
        *columns(TEXT, "job_key"),
        *columns(FLAG, "held"),
        *columns(WHOLE, "created_at"),
        primary_key("locks", "id"),
        unique("locks", "organization_id", "name", "workflow_id", "job_key"),
    )
    make_index("locks_holder", "locks", "organization_id", "name", unique=True, where="held")
    make_index("locks_in_order", "locks", "organization_id", "name", "id")
    make_index("locks_of_workflow", "locks", "workflow_id")


def make_promises() -> None:
    """Work for later."""
    op.create_table(
        "outbox",
        identity(),
        *columns(TEXT, "kind", "subject", "payload"),
        *columns(WHOLE, "created_at", "due_at"),
        column("attempts", WHOLE, default="0"),
        column("error", TEXT, default="''"),
        primary_key("outbox", "id"),
    )
    make_index("outbox_due", "outbox", "due_at", "id")
    op.create_table(
        "timers",
        identity(),
        *columns(TEXT, "kind", "subject"),
        *columns(WHOLE, "due_at"),
        *columns(TEXT, "payload"),
        primary_key("timers", "id"),
        unique("timers", "subject", "kind"),
    )
    make_index("timers_due", "timers", "due_at", "id")
    op.create_table(
        "followups",
        identity(),
        *columns(TEXT, "uuid"),
        parent("followups", "workflow_id", "workflows"),
        *columns(TEXT, "name", "status"),
        column("actor", TEXT, default="''"),
        column("parameters", TEXT, default="'{}'"),
        *columns(TEXT, "target", nullable=True),
        *columns(WHOLE, "created_at"),
        *columns(WHOLE, "started_at", nullable=True),
        primary_key("followups", "id"),
        unique("followups", "uuid"),
    )
    make_index("followups_of_workflow", "followups", "workflow_id")
    make_index("followups_target", "followups", "target", where="target IS NOT NULL")
