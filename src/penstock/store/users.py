"""Accounts of people and machines, found by login or UUID."""

from collections.abc import Collection
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import Select, bindparam, select

from penstock.kit.ids import new_id
from penstock.model.access import User
from penstock.store import rows
from penstock.store.columns import clean_text
from penstock.store.database import Transaction
from penstock.store.schema import users
from penstock.store.upserts import insert_into


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What a new account says about itself. `password` is what `passwords.hash_password` made of it."""

    login: str
    name: str = ""
    email: str = ""
    avatar_url: str = ""
    admin: bool = False
    password: str | None = None


class UserChange(msgspec.Struct, kw_only=True):
    """What may change about an account; unset fields stay as they are."""

    id: int
    name: str | msgspec.UnsetType = msgspec.UNSET
    email: str | msgspec.UnsetType = msgspec.UNSET
    avatar_url: str | msgspec.UnsetType = msgspec.UNSET
    admin: bool | msgspec.UnsetType = msgspec.UNSET
    disabled_at: int | msgspec.UnsetType | None = msgspec.UNSET
    password: str | msgspec.UnsetType | None = msgspec.UNSET


def add_user(tx: Transaction, profile: Profile, *, now: int) -> User | None:
    """The new account; None when the login is taken, be it in other upper and lower case.

    A rival who is about to take it is waited for.
    """
    values = msgspec.structs.asdict(profile) | {
        "uuid": new_id(),
        "login_key": _key(profile.login),
        "created_at": now,
        "disabled_at": None,
    }
    statement = insert_into(tx.dialect.name, users).on_conflict_do_nothing(index_elements=["login_key"])
    row = tx.execute(statement.returning(*rows.columns_of(users, User)), values).first()
    return None if row is None else rows.build(User, row)


def get_user(tx: Transaction, user_id: int) -> User | None:
    """The account of that row id."""
    return rows.fetch_one(tx, User, _select_user("id"), {"id": user_id})


def user_by_uuid(tx: Transaction, uuid: str) -> User | None:
    """The account of that UUID."""
    return rows.fetch_one(tx, User, _select_user("uuid"), {"uuid": uuid})


def user_by_login(tx: Transaction, login: str) -> User | None:
    """The account of that login, in whatever case."""
    return rows.fetch_one(tx, User, _select_user("login_key"), {"login_key": _key(login)})


def users_by_login(tx: Transaction, logins: Collection[str]) -> dict[str, User]:
    """The accounts of these logins, by login as it was asked for; unknown ones are left out."""
    wanted = {login: _key(login) for login in logins}
    if not wanted:
        return {}
    chosen = select(*rows.columns_of(users, User), users.c.login_key)
    rows_found = tx.execute(chosen.where(users.c.login_key.in_(sorted(set(wanted.values())))))
    found = {key: rows.build(User, row) for *row, key in rows_found}
    return {login: found[key] for login, key in wanted.items() if key in found}


def load_password(tx: Transaction, user_id: int) -> str | None:
    """The stored hash of the account's password, None when it has none."""
    found: str | None = tx.execute(select(users.c.password).where(users.c.id == user_id)).scalar_one()
    return found


def has_users(tx: Transaction) -> bool:
    """True when there is any account."""
    return tx.execute(select(users.c.id).limit(1)).first() is not None


def list_users(tx: Transaction, *, after: int = 0, limit: int = 100) -> list[User]:
    """Accounts, oldest first, those with an id above `after`."""
    page = select(*rows.columns_of(users, User)).where(users.c.id > after).order_by(users.c.id).limit(limit)
    return rows.fetch_all(tx, User, page, {})


def update_user(tx: Transaction, change: UserChange) -> None:
    """Write the set fields."""
    rows.apply_changes(tx, users, [change])


def lock_user(tx: Transaction, user_id: int) -> User | None:
    """The account, and no other transaction locks or changes it until this one ends."""
    return rows.fetch_one(tx, User, _select_user("id").with_for_update(), {"id": user_id})


def _key(login: str) -> str:
    return clean_text(login).casefold()


@cache
def _select_user(by: str) -> Select[Any]:
    return select(*rows.columns_of(users, User)).where(users.c[by] == bindparam(by))
