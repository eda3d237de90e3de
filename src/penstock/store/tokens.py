"""API tokens, found by their hash; what they open is decided by the engine."""

from functools import cache
from typing import Any

import msgspec
from sqlalchemy import Executable, Select, bindparam, or_, select, update

from penstock.model.access import ApiToken, User
from penstock.store import rows
from penstock.store.database import Transaction
from penstock.store.schema import api_tokens, users
from penstock.store.upserts import insert_into

USE_STEP = 60_000
"""Milliseconds within which a token's last use is not noted again."""


class Bearer(msgspec.Struct, frozen=True):
    """A token and whom it speaks for."""

    token: ApiToken
    user: User


def add_token(tx: Transaction, token: ApiToken, token_hash: str) -> ApiToken | None:
    """The stored token (its `id` is ignored); None when one of that hash exists."""
    statement = insert_into(tx.dialect.name, api_tokens).on_conflict_do_nothing(index_elements=["hash"])
    values = rows.values_of(token) | {"hash": token_hash}
    row_id = tx.execute(statement.returning(api_tokens.c.id), values).scalar_one_or_none()
    return None if row_id is None else msgspec.structs.replace(token, id=row_id)


def find_bearer(tx: Transaction, token_hash: str) -> Bearer | None:
    """The token of that hash and its user, however they are: one row of an index."""
    row = tx.execute(_select_bearer(), {"hash": token_hash}).first()
    if row is None:
        return None
    width = len(ApiToken.__struct_fields__)
    return Bearer(rows.build(ApiToken, row[:width]), rows.build(User, row[width:]))


def token_by_uuid(tx: Transaction, uuid: str) -> ApiToken | None:
    """The token of that UUID."""
    return rows.fetch_one(tx, ApiToken, _select_tokens("uuid"), {"uuid": uuid})


def tokens_of(
    tx: Transaction,
    user_id: int,
    *,
    organization_id: int | None = None,
    project_id: int | None = None,
    after: int = 0,
    limit: int = 100,
) -> list[ApiToken]:
    """The user's tokens, oldest first, revoked and expired ones too, those with an id above `after`.

    With an organization or a project only those that are limited to it.
    """
    table = api_tokens.c
    page = _select_tokens("user_id").where(table.id > after).order_by(table.id).limit(limit)
    if organization_id is not None:
        page = page.where(table.organization_id == organization_id)
    if project_id is not None:
        page = page.where(table.project_id == project_id)
    return rows.fetch_all(tx, ApiToken, page, {"user_id": user_id})


def revoke_token(tx: Transaction, token_id: int, *, now: int) -> None:
    """The token opens nothing any more; one revoked before keeps its time."""
    mine = (api_tokens.c.id == token_id, api_tokens.c.revoked_at.is_(None))
    tx.execute(update(api_tokens).where(*mine).values(revoked_at=now))


def note_use(tx: Transaction, token_id: int, now: int) -> None:
    """The token's last use is now, to the minute."""
    tx.execute(_note_use(), {"token": token_id, "now": now, "stale": now - USE_STEP})


@cache
def _select_tokens(by: str) -> Select[Any]:
    return select(*rows.columns_of(api_tokens, ApiToken)).where(api_tokens.c[by] == bindparam(by))


@cache
def _select_bearer() -> Executable:
    chosen = select(*rows.columns_of(api_tokens, ApiToken), *rows.columns_of(users, User))
    joined = chosen.join(users, users.c.id == api_tokens.c.user_id)
    return joined.where(api_tokens.c.hash == bindparam("hash"))


@cache
def _note_use() -> Executable:
    used = api_tokens.c.used_at
    stale = or_(used.is_(None), used <= bindparam("stale"))
    chosen = update(api_tokens).where(api_tokens.c.id == bindparam("token"), stale)
    return chosen.values(used_at=bindparam("now"))
