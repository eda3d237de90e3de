"""Version 0014: what jobs used, and exports of it."""

import time
from typing import Any

import msgspec
import sqlalchemy as sa
import zstandard
from alembic import op

from penstock.store.migrations.parts import (
    ROW_ID,
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

revision = "0014"
down_revision = "0013"

_KEPT = 400 * 86_400_000
_AT_ONCE = 1000


def upgrade() -> None:
    """The tables exist, and hold what is known of the jobs of the last thirteen months."""
    op.add_column("tasks", sa.Column("used", TEXT, nullable=True))
    make_workflows()
    make_runs()
    make_exports()
    fill_workflows()
    fill_runs()


def make_workflows() -> None:
    """What the runs of a workflow have in common."""
    op.create_table(
        "usage_workflows",
        sa.Column("id", ROW_ID, nullable=False, autoincrement=False),
        parent("usage_workflows", "organization_id", "organizations"),
        *columns(TEXT, "uuid", "name", "project", "project_name", "project_slug", "url"),
        *columns(WHOLE, "project_created_at"),
        *columns(TEXT, "branch", "pipeline"),
        *columns(WHOLE, "pipeline_number", "pipeline_created_at"),
        *columns(TEXT, "trigger", "actor"),
        *columns(WHOLE, "queued_at", "started_at", "stopped_at", nullable=True),
        *columns(TEXT, "status"),
        primary_key("usage_workflows", "id"),
    )
    make_index("usage_workflows_of_project", "usage_workflows", "organization_id", "project", "stopped_at")


def make_runs() -> None:
    """One row for each run of a job."""
    op.create_table(
        "usage_runs",
        identity(),
        parent("usage_runs", "organization_id", "organizations"),
        *columns(WHOLE, "workflow_id"),
        *columns(TEXT, "job"),
        *columns(WHOLE, "number", nullable=True),
        *columns(TEXT, "name", "status", "resource_class", "executor"),
        *columns(WHOLE, "parallelism"),
        *columns(WHOLE, "queued_at", nullable=True),
        *columns(WHOLE, "started_at", "stopped_at", "worked"),
        *columns(WHOLE, "cpu_median", "cpu_max", "ram_median", "ram_max", nullable=True),
        primary_key("usage_runs", "id"),
    )
    make_index("usage_runs_in_order", "usage_runs", "organization_id", "started_at", "id")


def make_exports() -> None:
    """What was asked for, and how often somebody asked."""
    op.create_table(
        "usage_exports",
        identity(),
        *columns(TEXT, "uuid"),
        parent("usage_exports", "organization_id", "organizations"),
        *columns(TEXT, "organizations"),
        *columns(WHOLE, "start_at", "end_at"),
        *columns(TEXT, "state"),
        column("attempt", WHOLE, default="0"),
        column("error", TEXT, default="''"),
        column("parts", TEXT, default="'[]'"),
        *columns(WHOLE, "created_at"),
        primary_key("usage_exports", "id"),
        unique("usage_exports", "uuid"),
    )
    make_index("usage_exports_of_organization", "usage_exports", "organization_id")
    make_index("usage_exports_in_order", "usage_exports", "created_at")
    op.create_table(
        "usage_calls",
        identity(),
        parent("usage_calls", "organization_id", "organizations"),
        *columns(TEXT, "verb"),
        *columns(WHOLE, "at"),
        primary_key("usage_calls", "id"),
    )
    make_index("usage_calls_in_order", "usage_calls", "organization_id", "verb", "at")


_WORKFLOWS = """
INSERT INTO usage_workflows (id, organization_id, uuid, name, project, project_name, project_slug, url,
  project_created_at, branch, pipeline, pipeline_number, pipeline_created_at, trigger, actor, queued_at,
  started_at, stopped_at, status)
SELECT w.id, r.organization_id, w.uuid, w.name, r.uuid, r.name, r.slug, r.url, r.created_at, p.branch, p.uuid,
  p.number, p.created_at, p.trigger, p.actor, min(j.queued_at), min(j.started_at), w.stopped_at, w.status
FROM jobs j JOIN workflows w ON w.id = j.workflow_id JOIN pipelines p ON p.id = w.pipeline_id
JOIN projects r ON r.id = p.project_id
WHERE j.started_at >= :since AND j.stopped_at IS NOT NULL AND j.number IS NOT NULL
  AND p.labels NOT LIKE :local
GROUP BY w.id, r.id, p.id
"""

_RUNS = """
SELECT j.id, u.organization_id, j.workflow_id, j.uuid AS job, j.number, j.name, j.status, j.parallelism,
  j.queued_at, j.started_at, j.stopped_at, l.plan,
  (SELECT coalesce(sum(t.stopped_at - coalesce(t.started_at, t.stopped_at)), 0) FROM tasks t
   WHERE t.job_id = j.id AND t.attempt = j.attempt) AS worked
FROM jobs j JOIN usage_workflows u ON u.id = j.workflow_id JOIN job_plans l ON l.job_id = j.id
WHERE j.id > :after AND j.started_at >= :since AND j.stopped_at IS NOT NULL AND j.number IS NOT NULL
ORDER BY j.id LIMIT :count
"""

_RUN = """
INSERT INTO usage_runs (organization_id, workflow_id, job, number, name, status, resource_class, executor,
  parallelism, queued_at, started_at, stopped_at, worked)
VALUES (:organization_id, :workflow_id, :job, :number, :name, :status, :resource_class, :executor,
  :parallelism, :queued_at, :started_at, :stopped_at, :worked)
"""


class _Executor(msgspec.Struct):
    kind: str = "host"
    resource_class: str = ""


class _Plan(msgspec.Struct):
    executor: _Executor = msgspec.field(default_factory=_Executor)


def fill_workflows() -> None:
    """Of every workflow of which a job has run; those of commands on this machine are nobody's usage."""
    values = {"since": _since(), "local": '%"local.source"%'}
    op.get_bind().execute(sa.text(_WORKFLOWS), values)


def fill_runs() -> None:
    """The last attempt of each job that ran: of earlier ones nothing was kept."""
    tx, after = op.get_bind(), 0
    unpack, decode = zstandard.ZstdDecompressor().decompress, msgspec.json.Decoder(_Plan).decode
    since = _since()
    while True:
        values = {"after": after, "since": since, "count": _AT_ONCE}
        found = tx.execute(sa.text(_RUNS), values).mappings().all()
        if not found:
            return
        tx.execute(sa.text(_RUN), [_show(row, decode(unpack(bytes(row["plan"])))) for row in found])
        after = found[-1]["id"]


def _show(row: Any, plan: _Plan) -> dict[str, Any]:  # noqa: ANN401 - a row of SQLAlchemy
    named = {name: value for name, value in row.items() if name not in {"id", "plan"}}
    return named | {"executor": plan.executor.kind, "resource_class": plan.executor.resource_class}


def _since() -> int:
    return int(time.time() * 1000) - _KEPT
