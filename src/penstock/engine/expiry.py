"""Removes what has been kept as long as it was to be kept."""

from penstock.engine.transact import transact
from penstock.engine.unit import Parts, Unit
from penstock.engine.uploads import delete_quietly
from penstock.store import caches

_PORTION = 500


def expire_caches(parts: Parts) -> int:
    """No cache is left whose time is over; returns how many went. Their rows go before their bytes."""
    with parts.db.read() as tx:
        due = caches.next_expiry(tx)
    if due is None or due > parts.clock.now():
        return 0
    count = 0
    while gone := transact(parts, _forget_portion):
        for blob in gone:
            delete_quietly(parts.blobs, blob)
        count += len(gone)
    return count


def _forget_portion(unit: Unit) -> list[str]:
    return caches.delete_expired(unit.tx, unit.now, limit=_PORTION)
