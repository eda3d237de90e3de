"""Files that jobs kept."""

from functools import cache

from sqlalchemy import Executable, bindparam, select, tuple_

from penstock.model.output import Artifact
from penstock.store import rows
from penstock.store.database import Transaction
from penstock.store.schema import artifacts
from penstock.store.upserts import insert_into


def save_artifact(tx: Transaction, artifact: Artifact, *, now: int) -> None:
    """Store the artifact; one of the same job, task index and path is replaced, as by another attempt."""
    tx.execute(_upsert(tx.dialect.name), rows.values_of(artifact) | {"created_at": now})


def artifacts_of(
    tx: Transaction, job_id: int, *, after: tuple[int, str] = (-1, ""), limit: int = 1000
) -> list[Artifact]:
    """The job's artifacts by task index and path, those that come after the given pair."""
    index, path = after
    values = {"job_id": job_id, "after_index": index, "after_path": path, "limit": limit}
    return rows.fetch_all(tx, Artifact, _select_page(), values)


def artifact_by_uuid(tx: Transaction, uuid: str) -> Artifact | None:
    """The artifact of that UUID."""
    chosen = select(*rows.columns_of(artifacts, Artifact)).where(artifacts.c.uuid == bindparam("uuid"))
    return rows.fetch_one(tx, Artifact, chosen, {"uuid": uuid})


def find_artifact(tx: Transaction, job_id: int, task_index: int, path: str) -> Artifact | None:
    """The artifact at that path."""
    values = {"job_id": job_id, "task_index": task_index, "path": path}
    conditions = (artifacts.c[name] == bindparam(name) for name in values)
    return rows.fetch_one(
        tx, Artifact, select(*rows.columns_of(artifacts, Artifact)).where(*conditions), values
    )


@cache
def _upsert(dialect: str) -> Executable:
    statement = insert_into(dialect, artifacts)
    return statement.on_conflict_do_update(
        index_elements=["job_id", "task_index", "path"],
        set_={name: statement.excluded[name] for name in ("uuid", "size", "blob", "created_at")},
    )


@cache
def _select_page() -> Executable:
    table = artifacts.c
    after = tuple_(bindparam("after_index"), bindparam("after_path", type_=table.path.type))
    return (
        select(*rows.columns_of(artifacts, Artifact))
        .where(table.job_id == bindparam("job_id"), tuple_(table.task_index, table.path) > after)
        .order_by(table.task_index, table.path)
        .limit(bindparam("limit"))
    )
