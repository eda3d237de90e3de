"""The keys that sign identity tokens: the public half open, the private one sealed."""

from collections.abc import Collection
from functools import cache

from sqlalchemy import Executable, delete, func, select, update

from penstock.model.errors import RefusedError
from penstock.model.identity import SigningKey
from penstock.store import rows
from penstock.store.database import Transaction
from penstock.store.schema import signing_keys
from penstock.store.sealing import Sealer

_LOCK = 0x70656E7374  # any number that stands for nothing else


def lock_keys(tx: Transaction) -> None:
    """Nobody else makes, moves or removes keys until this transaction ends."""
    if tx.dialect.name == "postgresql":
        tx.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def add_key(tx: Transaction, sealer: Sealer, key: SigningKey, private: bytes) -> SigningKey:
    """The key as it is stored."""
    sealed = sealer.seal(private, place_key(key.kid))
    made = rows.insert_row(tx, signing_keys, rows.values_of(key) | {"sealed": sealed})
    return SigningKey(
        id=made, kid=key.kid, public=key.public, created_at=key.created_at, signs_at=key.signs_at
    )


def list_keys(tx: Transaction) -> list[SigningKey]:
    """Every key, in the order in which they sign."""
    return rows.fetch_all(tx, SigningKey, _select_keys(), {})


def open_key(tx: Transaction, sealer: Sealer, key: SigningKey) -> bytes:
    """The private half. Raises RefusedError when it cannot be opened with the present sealing keys."""
    chosen = select(signing_keys.c.sealed).where(signing_keys.c.id == key.id)
    sealed = tx.execute(chosen).scalar_one_or_none()
    if sealed is None:
        raise RefusedError("it was withdrawn")
    return sealer.open(sealed, place_key(key.kid))


def move_key(tx: Transaction, key_id: int, *, signs_at: int) -> None:
    """The key signs from that instant on."""
    tx.execute(update(signing_keys).where(signing_keys.c.id == key_id).values(signs_at=signs_at))


def remove_keys(tx: Transaction, key_ids: Collection[int]) -> None:
    """These keys are gone, and what they signed is believed no more."""
    if key_ids:
        tx.execute(delete(signing_keys).where(signing_keys.c.id.in_(key_ids)))


def place_key(kid: str) -> str:
    """What the private half of the key of that id is sealed for."""
    return f"signing_keys/{kid}"


@cache
def _select_keys() -> Executable:
    chosen = select(*rows.columns_of(signing_keys, SigningKey)).where(signing_keys.c.signs_at > 0)
    return chosen.order_by(signing_keys.c.signs_at, signing_keys.c.id)  # along the index
