"""Who may use a context: all kinds must let somebody pass, and of a kind any one is enough."""

from collections.abc import Collection
from enum import StrEnum
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import Select, bindparam, delete, select

from penstock.kit.ids import new_id
from penstock.store import rows
from penstock.store.database import Transaction
from penstock.store.schema import context_restrictions, contexts
from penstock.store.upserts import insert_into

EVERYONE = "00000000-0000-0000-0000-000000000000"
"""The group that everybody is in, also people without an account."""


class RestrictionKind(StrEnum):
    """What a restriction looks at (CircleCI API v2: context restrictions)."""

    PROJECT = "project"  # the value is a project's UUID
    GROUP = "group"  # a group's UUID, the organization's for all its members, or `EVERYONE`
    EXPRESSION = "expression"  # the text of a rule


class Restriction(msgspec.Struct, frozen=True, kw_only=True):
    """One restriction of a context."""

    id: int
    uuid: str
    context_id: int
    kind: RestrictionKind
    value: str
    created_at: int


def add_restriction(
    tx: Transaction, context_id: int, kind: RestrictionKind, value: str, *, now: int
) -> Restriction | None:
    """The new restriction; None when the context has just this one."""
    made = Restriction(id=0, uuid=new_id(), context_id=context_id, kind=kind, value=value, created_at=now)
    statement = insert_into(tx.dialect.name, context_restrictions).on_conflict_do_nothing(
        index_elements=["context_id", "kind", "value"]
    )
    returned = statement.returning(context_restrictions.c.id)
    row_id = tx.execute(returned, rows.values_of(made)).scalar_one_or_none()
    return None if row_id is None else msgspec.structs.replace(made, id=row_id)


def restrictions_of(tx: Transaction, context_id: int) -> list[Restriction]:
    """The context's restrictions, by kind and value."""
    ordered = _select_by("context_id").order_by(context_restrictions.c.kind, context_restrictions.c.value)
    return rows.fetch_all(tx, Restriction, ordered, {"context_id": context_id})


def restrictions_by_name(
    tx: Transaction, organization_id: int, names: Collection[str]
) -> dict[str, list[Restriction]]:
    """The restrictions of the organization's contexts of these names; contexts that are not are left out."""
    values = {"organization": organization_id, "names": sorted(names)}
    found: dict[str, list[Restriction]] = {}
    for name, *row in tx.execute(_select_by_names(), values):
        every = found.setdefault(name, [])
        if row[0] is not None:
            every.append(rows.build(Restriction, row))
    return found


def restriction_by_uuid(tx: Transaction, uuid: str) -> Restriction | None:
    """The restriction of that UUID."""
    return rows.fetch_one(tx, Restriction, _select_by("uuid"), {"uuid": uuid})


def delete_restriction(tx: Transaction, restriction_id: int) -> None:
    """The context has the restriction no more."""
    tx.execute(delete(context_restrictions).where(context_restrictions.c.id == restriction_id))


@cache
def _select_by_names() -> Select[Any]:
    columns = rows.columns_of(context_restrictions, Restriction)
    joined = select(contexts.c.name, *columns).join_from(
        contexts, context_restrictions, contexts.c.id == context_restrictions.c.context_id, isouter=True
    )
    mine = joined.where(
        contexts.c.organization_id == bindparam("organization"),
        contexts.c.name.in_(bindparam("names", expanding=True)),
    )
    return mine.order_by(contexts.c.id, context_restrictions.c.id)


@cache
def _select_by(by: str) -> Select[Any]:
    columns = rows.columns_of(context_restrictions, Restriction)
    return select(*columns).where(context_restrictions.c[by] == bindparam(by))
