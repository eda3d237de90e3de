"""Pipelines, newest first, and their configs beside them."""

from collections.abc import Collection, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Executable, Select, bindparam, delete, select, union_all

from penstock.model.diagnostic import Diagnostic
from penstock.model.run import Pipeline
from penstock.model.status import PipelineStatus
from penstock.store import rows
from penstock.store.database import Transaction
from penstock.store.packing import pack, unpack
from penstock.store.schema import pipeline_configs, pipelines, workflows, workspace_layers
from penstock.store.upserts import insert_into

MOST_PROJECTS = 250
"""How many projects may be asked for their pipelines at once."""


class PipelineChange(msgspec.Struct, kw_only=True):
    """What may change about a pipeline; unset fields stay as they are."""

    id: int
    updated_at: int
    status: PipelineStatus | msgspec.UnsetType = msgspec.UNSET
    language: str | msgspec.UnsetType = msgspec.UNSET
    parameters: dict[str, str | int | bool] | msgspec.UnsetType = msgspec.UNSET
    errors: tuple[Diagnostic, ...] | msgspec.UnsetType = msgspec.UNSET


class PipelineMark(NamedTuple):
    """As much of a pipeline as tells whether what was shown of it is still so; lists have many of them."""

    id: int
    project_id: int
    status: str
    updated_at: int
    actor: str


class StoredConfig(msgspec.Struct, frozen=True, kw_only=True):
    """A config as it was written, as its vendor prints it when processed, and the encoded Plan."""

    source: str
    compiled: str
    plan: bytes


def insert_pipeline(
    tx: Transaction, pipeline: Pipeline, *, owner: str = "", labels: Mapping[str, str] | None = None
) -> Pipeline:
    """Store the pipeline and return it with its row id; the given `id` is ignored.

    `number` comes from `counters`. `owner` says who must be alive for the pipeline to go on (the lock
    file of a local run). Raises ConflictError when the number is taken.
    """
    values = rows.values_of(pipeline) | {
        "branch": pipeline.revision.branch,
        "owner": owner,
        "labels": dict(labels or {}),
    }
    return msgspec.structs.replace(pipeline, id=rows.insert_row(tx, pipelines, values))


def get_pipeline(tx: Transaction, pipeline_id: int) -> Pipeline | None:
    """The pipeline of that row id."""
    return rows.fetch_one(tx, Pipeline, _select_one("id"), {"id": pipeline_id})


def lock_pipeline(tx: Transaction, pipeline_id: int) -> Pipeline | None:
    """The same, and no other transaction locks or changes it until this one ends."""
    return rows.fetch_one(tx, Pipeline, _select_locked(), {"id": pipeline_id})


def pipeline_by_uuid(tx: Transaction, uuid: str) -> Pipeline | None:
    """The pipeline of that UUID."""
    return rows.fetch_one(tx, Pipeline, _select_one("uuid"), {"uuid": uuid})


def pipeline_by_number(tx: Transaction, project_id: int, number: int) -> Pipeline | None:
    """The pipeline of that number in its project."""
    values = {"project_id": project_id, "number": number}
    return rows.fetch_one(tx, Pipeline, _select_one("project_id", "number"), values)


def list_pipelines(
    tx: Transaction,
    *,
    project_id: int | None = None,
    branch: str | None = None,
    actor: str | None = None,
    before: int | None = None,
    limit: int = 20,
) -> list[Pipeline]:
    """Pipelines newest first, those with an id below `before`, which stays stable while rows arrive.

    `branch` and `actor` need a project and exclude each other.
    """
    given = {"project_id": project_id, "branch": branch, "actor": actor, "before": before}
    values = {name: value for name, value in given.items() if value is not None}
    return rows.fetch_all(
        tx, Pipeline, _select_page(Pipeline.__struct_fields__, frozenset(values)), values | {"limit": limit}
    )


def list_marks(
    tx: Transaction,
    project_id: int,
    *,
    branch: str | None = None,
    actor: str | None = None,
    before: int | None = None,
    limit: int = 20,
) -> list[PipelineMark]:
    """The marks of the pipelines that `list_pipelines` would list."""
    given = {"project_id": project_id, "branch": branch, "actor": actor, "before": before}
    values = {name: value for name, value in given.items() if value is not None}
    statement = _select_page(PipelineMark._fields, frozenset(values))
    return [PipelineMark(*row) for row in tx.execute(statement, values | {"limit": limit})]


def load_pipelines(tx: Transaction, ids: Collection[int]) -> list[Pipeline]:
    """The pipelines of these row ids."""
    if not ids:
        return []
    chosen = select(*rows.columns_of(pipelines, Pipeline)).where(pipelines.c.id.in_(sorted(ids)))
    return rows.fetch_all(tx, Pipeline, chosen, {})


def newest_pipelines(
    tx: Transaction,
    project_ids: Sequence[int],
    *,
    actor: str | None = None,
    before: int | None = None,
    limit: int = 20,
) -> list[PipelineMark]:
    """The marks of the newest pipelines of these projects together, those with an id below `before`.

    Each project is asked for its own newest ones, so the cost is that of the projects, not of their past.
    At most `MOST_PROJECTS` of them.
    """
    if not project_ids:
        return []
    values: dict[str, Any] = {f"p{place}": row_id for place, row_id in enumerate(project_ids)}
    values |= {"before": before or 1 << 62, "limit": limit}
    values |= {} if actor is None else {"actor": actor}
    statement = _select_newest(len(project_ids), by_actor=actor is not None)
    ids = [row_id for (row_id,) in tx.execute(statement, values)]
    chosen = select(*(pipelines.c[name] for name in PipelineMark._fields)).where(pipelines.c.id.in_(ids))
    return [PipelineMark(*row) for row in tx.execute(chosen.order_by(pipelines.c.id.desc()))]


def owned_pipelines(tx: Transaction) -> list[tuple[int, str]]:
    """Row id and owner of every pipeline that still has an owner."""
    statement = select(pipelines.c.id, pipelines.c.owner).where(rows.literally("owner <> ''"))
    return [(row_id, owner) for row_id, owner in tx.execute(statement)]


def disown_pipeline(tx: Transaction, pipeline_id: int) -> None:
    """The pipeline has no owner afterwards: it has ended, or its owner is known to be dead."""
    tx.execute(pipelines.update().where(pipelines.c.id == pipeline_id).values(owner=""))


def load_labels(tx: Transaction, pipeline_id: int) -> dict[str, str]:
    """The labels the pipeline was stored with."""
    return dict(tx.execute(select(pipelines.c.labels).where(pipelines.c.id == pipeline_id)).scalar_one())


def update_pipeline(tx: Transaction, change: PipelineChange) -> None:
    """Write the set fields."""
    rows.apply_changes(tx, pipelines, [change])


def delete_pipeline(tx: Transaction, pipeline_id: int) -> None:
    """Remove the pipeline with everything below it; blobs stay for the caller to delete."""
    spaces = select(workflows.c.workspace).where(workflows.c.pipeline_id == pipeline_id)
    tx.execute(delete(workspace_layers).where(workspace_layers.c.workspace.in_(spaces)))
    tx.execute(delete(pipelines).where(pipelines.c.id == pipeline_id))


def save_config(tx: Transaction, pipeline_id: int, config: StoredConfig, *, name: str = "") -> None:
    """Keep a config of the pipeline: `""` for the main one, else a name such as `setup` or a path.

    A config stored under the same name before is replaced.
    """
    statement = insert_into(tx.dialect.name, pipeline_configs)
    statement = statement.on_conflict_do_update(
        index_elements=["pipeline_id", "name"],
        set_={column: statement.excluded[column] for column in ("source", "compiled", "plan")},
    )
    values = {
        "pipeline_id": pipeline_id,
        "name": name,
        "source": pack(config.source.encode("utf-8", "surrogatepass")),
        "compiled": pack(config.compiled.encode("utf-8", "surrogatepass")),
        "plan": pack(config.plan),
    }
    tx.execute(statement, values)


def load_config(tx: Transaction, pipeline_id: int, *, name: str = "") -> StoredConfig | None:
    """The config of that name."""
    table = pipeline_configs.c
    statement = select(table.source, table.compiled, table.plan)
    row = tx.execute(statement.where(table.pipeline_id == pipeline_id, table.name == name)).first()
    if row is None:
        return None
    source, compiled, plan = (unpack(frame) for frame in row)
    return StoredConfig(
        source=source.decode("utf-8", "surrogatepass"),
        compiled=compiled.decode("utf-8", "surrogatepass"),
        plan=plan,
    )


@cache
def _select_one(*by: str) -> Select[Any]:
    conditions = (pipelines.c[name] == bindparam(name) for name in by)
    return select(*rows.columns_of(pipelines, Pipeline)).where(*conditions)


@cache
def _select_locked() -> Select[Any]:
    return _select_one("id").with_for_update()


@lru_cache(64)
def _select_newest(projects: int, *, by_actor: bool) -> Executable:
    """The ids of the newest of each project, and of these the newest."""
    table = pipelines.c
    parts = []
    for place in range(projects):
        mine = select(table.id).where(
            table.project_id == bindparam(f"p{place}"), table.id < bindparam("before")
        )
        mine = mine.where(table.actor == bindparam("actor")) if by_actor else mine
        newest = mine.order_by(table.id.desc()).limit(bindparam("limit")).subquery(f"newest_{place}")
        parts.append(select(newest.c.id))
    every = union_all(*parts).subquery("newest")
    return select(every.c.id).order_by(every.c.id.desc()).limit(bindparam("limit"))


@cache
def _select_page(columns: tuple[str, ...], given: frozenset[str]) -> Select[Any]:
    table = pipelines.c
    statement = select(*(table[name] for name in columns)).order_by(table.id.desc())
    conditions = {
        "project_id": table.project_id == bindparam("project_id"),
        "branch": table.branch == bindparam("branch"),
        "actor": table.actor == bindparam("actor"),
        "before": table.id < bindparam("before"),
    }
    return statement.where(*(conditions[name] for name in sorted(given))).limit(bindparam("limit"))
