"""Layers of workspaces, oldest first."""

from collections.abc import Collection
from functools import cache

from sqlalchemy import Executable, bindparam, delete, insert, literal, select

from penstock.model.output import WorkspaceLayer
from penstock.store import rows
from penstock.store.database import Transaction
from penstock.store.schema import workspace_layers

_COPIED = ("job_key", "task_index", "blob", "size", "created_at")


def add_layer(tx: Transaction, workspace: str, layer: WorkspaceLayer, *, now: int) -> None:
    """Put the layer on top of the workspace, which is known by the UUID of the workflow it was made with."""
    values = rows.values_of(layer) | {"workspace": workspace, "created_at": now}
    rows.insert_row(tx, workspace_layers, values)


def layers_of(
    tx: Transaction, workspace: str, job_keys: Collection[str] | None = None
) -> list[WorkspaceLayer]:
    """The layers oldest first; with `job_keys` only those that these jobs made."""
    found = rows.fetch_all(tx, WorkspaceLayer, _select_layers(), {"workspace": workspace})
    return found if job_keys is None else [layer for layer in found if layer.job_key in job_keys]


def copy_layers(tx: Transaction, workspace: str, target: str, job_keys: Collection[str]) -> None:
    """The target has the layers these jobs made, in the same order; their blobs belong to both."""
    if job_keys:
        copied = select(literal(target), *(workspace_layers.c[name] for name in _COPIED))
        mine = copied.where(
            workspace_layers.c.workspace == workspace, workspace_layers.c.job_key.in_(list(job_keys))
        )
        names = ["workspace", *_COPIED]
        tx.execute(insert(workspace_layers).from_select(names, mine.order_by(workspace_layers.c.id)))


def drop_layers(tx: Transaction, workspace: str, job_key: str) -> list[str]:
    """Forget what the job added, as before another attempt of it; returns the names of the blobs."""
    mine = (workspace_layers.c.workspace == workspace, workspace_layers.c.job_key == job_key)
    return list(
        tx.execute(delete(workspace_layers).where(*mine).returning(workspace_layers.c.blob)).scalars()
    )


@cache
def _select_layers() -> Executable:
    chosen = select(*rows.columns_of(workspace_layers, WorkspaceLayer))
    mine = chosen.where(workspace_layers.c.workspace == bindparam("workspace"))
    return mine.order_by(workspace_layers.c.id)
