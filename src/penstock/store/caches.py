"""Caches: a key is taken once, the newest match of a prefix is restored, until its time is over."""

from functools import cache

from sqlalchemy import ColumnElement, Executable, bindparam, or_, select

from penstock.model.output import CacheEntry
from penstock.store import rows
from penstock.store.columns import clean_text
from penstock.store.database import Transaction
from penstock.store.schema import caches
from penstock.store.upserts import insert_into

_LAST = 0x10FFFF
_SURROGATES = range(0xD800, 0xE000)


def claim_key(tx: Transaction, project_id: int, scope: str, entry: CacheEntry) -> bool:
    """Store the entry and return True, or return False when the key is taken already."""
    values = rows.values_of(entry) | {"project_id": project_id, "scope": scope}
    return tx.execute(_claim(tx.dialect.name), values).first() is not None


def has_key(tx: Transaction, project_id: int, scope: str, key: str, *, now: int) -> bool:
    """True when exactly this key is taken."""
    values = {"project_id": project_id, "scope": scope, "key": key, "now": now}
    return tx.execute(_select_exact(), values).first() is not None


def find_newest(tx: Transaction, project_id: int, scope: str, prefix: str, *, now: int) -> CacheEntry | None:
    """The newest entry whose key starts with the prefix; no character of it is special."""
    cleaned = clean_text(prefix)
    values = {"project_id": project_id, "scope": scope, "first": cleaned, "now": now}
    end = end_of_prefix(cleaned)
    if end is None:
        return rows.fetch_one(tx, CacheEntry, _select_newest(bounded=False), values)
    return rows.fetch_one(tx, CacheEntry, _select_newest(bounded=True), values | {"end": end})


def holds_blob(tx: Transaction, project_id: int, scope: str, blob: str) -> bool:
    """True when the blob is one of the project's caches of that scope."""
    mine = (caches.c.project_id == project_id, caches.c.scope == scope, caches.c.blob == blob)
    return tx.execute(select(caches.c.id).where(*mine).limit(1)).first() is not None


def drop_entry(tx: Transaction, project_id: int, scope: str, entry: CacheEntry) -> None:
    """Forget the entry, unless its key has got another blob meanwhile; the key is free again."""
    table = caches.c
    mine = (table.project_id == project_id, table.scope == scope, table.key == entry.key)
    tx.execute(caches.delete().where(*mine, table.blob == entry.blob))


def next_expiry(tx: Transaction) -> int | None:
    """When the time of the next entry is over; None when none has an end."""
    end = select(caches.c.expires_at).where(caches.c.expires_at.is_not(None)).order_by(caches.c.expires_at)
    return tx.execute(end.limit(1)).scalar_one_or_none()


def delete_expired(tx: Transaction, now: int, *, limit: int = 1000) -> list[str]:
    """Remove entries whose time is over and return the names of their blobs, now without a row."""
    over = select(caches.c.id).where(caches.c.expires_at <= now).order_by(caches.c.expires_at).limit(limit)
    removed = caches.delete().where(caches.c.id.in_(over.scalar_subquery())).returning(caches.c.blob)
    return list(tx.execute(removed).scalars())


def free_key(tx: Transaction, project_id: int, scope: str, key: str, *, now: int) -> list[str]:
    """The key may be taken again if its entry's time is over; returns the names of blobs without a row."""
    table = caches.c
    mine = (table.project_id == project_id, table.scope == scope, table.key == clean_text(key))
    removed = caches.delete().where(*mine, table.expires_at <= now).returning(table.blob)
    return list(tx.execute(removed).scalars())


def delete_older(tx: Transaction, before: int, *, limit: int = 1000) -> list[str]:
    """Remove entries made before the instant and return the names of their blobs, now without a row."""
    old = select(caches.c.id).where(caches.c.created_at < before).order_by(caches.c.id).limit(limit)
    removed = caches.delete().where(caches.c.id.in_(old.scalar_subquery())).returning(caches.c.blob)
    return list(tx.execute(removed).scalars())


def end_of_prefix(prefix: str) -> str | None:
    """The smallest text after all that start with the prefix, by UTF-8 bytes; None when there is no end."""
    for position in range(len(prefix) - 1, -1, -1):
        code = ord(prefix[position])
        if code < _LAST:
            following = code + 1 if code + 1 not in _SURROGATES else _SURROGATES.stop
            return prefix[:position] + chr(following)
    return None


@cache
def _claim(dialect: str) -> Executable:
    free = insert_into(dialect, caches).on_conflict_do_nothing(index_elements=["project_id", "scope", "key"])
    return free.returning(caches.c.id)


@cache
def _select_exact() -> Executable:
    conditions = (caches.c[name] == bindparam(name) for name in ("project_id", "scope", "key"))
    return select(caches.c.id).where(*conditions, _is_alive())


def _is_alive() -> ColumnElement[bool]:
    return or_(caches.c.expires_at.is_(None), caches.c.expires_at > bindparam("now"))


@cache
def _select_newest(*, bounded: bool) -> Executable:
    table = caches.c
    chosen = select(*rows.columns_of(caches, CacheEntry)).where(
        table.project_id == bindparam("project_id"),
        table.scope == bindparam("scope"),
        table.key >= bindparam("first"),
        _is_alive(),
    )
    if bounded:
        chosen = chosen.where(table.key < bindparam("end"))
    return chosen.order_by(table.id.desc()).limit(1)
