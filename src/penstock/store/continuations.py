"""Keys by which the jobs of a setup workflow continue their pipeline; only their hashes are kept."""

from functools import cache

import msgspec
from sqlalchemy import Executable, bindparam, select, update

from penstock.store import rows
from penstock.store.database import Transaction
from penstock.store.schema import continuations
from penstock.store.sealing import hash_token, make_token


class ContinuationKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key that was handed to a task; `request` names the request that used it."""

    id: int
    pipeline_id: int
    task: str  # UUID
    created_at: int
    used_at: int | None
    request: str


def issue_key(tx: Transaction, pipeline_id: int, task: str, *, now: int) -> str:
    """A new random key of the pipeline for the task; nobody can read it a second time."""
    key = make_token()
    values = {"pipeline_id": pipeline_id, "task": task, "key_hash": hash_token(key), "created_at": now}
    rows.insert_row(tx, continuations, values)
    return key


def find_key(tx: Transaction, key: str) -> ContinuationKey | None:
    """What is known of the key, None when it was never issued or its pipeline is gone."""
    return rows.fetch_one(tx, ContinuationKey, _select_key(), {"hash": hash_token(key)})


def find_use(tx: Transaction, pipeline_id: int) -> ContinuationKey | None:
    """The key that continued the pipeline, None while none did."""
    return rows.fetch_one(tx, ContinuationKey, _select_use(), {"pipeline": pipeline_id})


def use_key(tx: Transaction, key_id: int, *, request: str, now: int) -> None:
    """The key has continued its pipeline, as that request asked."""
    tx.execute(_use(), {"key": key_id, "name": request, "now": now})


@cache
def _select_key() -> Executable:
    chosen = select(*rows.columns_of(continuations, ContinuationKey))
    return chosen.where(continuations.c.key_hash == bindparam("hash"))


@cache
def _select_use() -> Executable:
    chosen = select(*rows.columns_of(continuations, ContinuationKey))
    mine = continuations.c.pipeline_id == bindparam("pipeline")
    return chosen.where(mine, continuations.c.used_at.is_not(None)).limit(1)


@cache
def _use() -> Executable:
    chosen = update(continuations).where(continuations.c.id == bindparam("key"))
    return chosen.values(used_at=bindparam("now"), request=bindparam("name"))
