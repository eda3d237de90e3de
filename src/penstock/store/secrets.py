"""Secrets: sealed bytes under a name, of an organization or a project; what is inside, the caller knows."""

import msgspec
from sqlalchemy import delete, select

from penstock.kit.ids import new_id
from penstock.model.errors import RefusedError
from penstock.store import rows
from penstock.store.columns import clean_text
from penstock.store.database import Transaction
from penstock.store.schema import secrets
from penstock.store.sealing import Sealer
from penstock.store.upserts import insert_into


class SecretInfo(msgspec.Struct, frozen=True, kw_only=True):
    """All that is shown of a secret. `owner` is made by `of_organization` or `of_project`."""

    id: int
    uuid: str
    owner: str
    name: str
    created_at: int
    updated_at: int


class Secret(msgspec.Struct, frozen=True):
    """A secret in the open, on its way into the store; it does not show in logs and errors."""

    name: str
    plain: bytes

    def __repr__(self) -> str:
        """Its name only."""
        return f"Secret({self.name!r})"


def of_organization(organization_id: int) -> str:
    """The organization as an owner of secrets."""
    return f"organization/{organization_id}"


def of_project(project_id: int) -> str:
    """The project as an owner of secrets."""
    return f"project/{project_id}"


def set_secret(tx: Transaction, sealer: Sealer, owner: str, secret: Secret, *, now: int) -> SecretInfo:
    """The secret holds these bytes afterwards; one that existed keeps its UUID and the time of its making."""
    statement = insert_into(tx.dialect.name, secrets)
    statement = statement.on_conflict_do_update(
        index_elements=["owner", "name"],
        set_={field: statement.excluded[field] for field in ("sealed", "updated_at")},
    )
    values = {
        "uuid": new_id(),
        "owner": owner,
        "name": secret.name,
        "sealed": sealer.seal(secret.plain, place_secret(owner, secret.name)),
        "created_at": now,
        "updated_at": now,
    }
    row = tx.execute(statement.returning(*rows.columns_of(secrets, SecretInfo)), values).one()
    return rows.build(SecretInfo, row)


def open_secret(tx: Transaction, sealer: Sealer, owner: str, name: str) -> bytes | None:
    """The plain bytes of the secret, None when there is none of that name."""
    statement = select(secrets.c.sealed).where(secrets.c.owner == owner, secrets.c.name == name)
    sealed = tx.execute(statement).scalar_one_or_none()
    return None if sealed is None else _open(sealer, sealed, owner, name)


def open_secrets(tx: Transaction, sealer: Sealer, owner: str, prefix: str) -> dict[str, bytes]:
    """The plain bytes of the owner's secrets whose names begin so, oldest first."""
    chosen = select(secrets.c.name, secrets.c.sealed).where(secrets.c.owner == owner).order_by(secrets.c.id)
    return {
        name: _open(sealer, sealed, owner, name)
        for name, sealed in tx.execute(chosen)
        if name.startswith(prefix)
    }


def delete_secrets(tx: Transaction, owner: str) -> None:
    """The owner has no secrets afterwards."""
    tx.execute(delete(secrets).where(secrets.c.owner == owner))


def list_secrets(tx: Transaction, owner: str) -> list[SecretInfo]:
    """The owner's secrets, oldest first, without their contents."""
    statement = select(*rows.columns_of(secrets, SecretInfo)).where(secrets.c.owner == owner)
    return rows.fetch_all(tx, SecretInfo, statement.order_by(secrets.c.id), {})


def secret_by_uuid(tx: Transaction, uuid: str) -> SecretInfo | None:
    """The secret of that UUID, without its contents."""
    statement = select(*rows.columns_of(secrets, SecretInfo)).where(secrets.c.uuid == uuid)
    return rows.fetch_one(tx, SecretInfo, statement, {})


def delete_secret(tx: Transaction, owner: str, name: str) -> bool:
    """True when the secret existed; it does not afterwards."""
    statement = delete(secrets).where(secrets.c.owner == owner, secrets.c.name == name)
    return tx.execute(statement).rowcount == 1


def _open(sealer: Sealer, sealed: bytes, owner: str, name: str) -> bytes:
    try:
        return sealer.open(sealed, place_secret(owner, name))
    except RefusedError as error:
        raise RefusedError(f"the secret {name} cannot be opened: {error}") from error


def place_secret(owner: str, name: str) -> str:
    """What the secret is sealed for."""
    return f"secrets/{owner}/{clean_text(name)}"
