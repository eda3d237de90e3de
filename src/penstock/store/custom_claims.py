"""What organizations and projects set about their identity tokens."""

from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, or_, select, update

from penstock.model.identity import CustomClaims
from penstock.store import rows
from penstock.store.database import Transaction
from penstock.store.schema import custom_claims


def find_claims(tx: Transaction, organization_id: int, project_id: int | None = None) -> CustomClaims:
    """What is set for the organization itself, or for the one project; with `id` 0 when nothing ever was."""
    found = list_claims(tx, organization_id, project_id)
    for each in found:
        if each.project_id == project_id:
            return each
    return CustomClaims(id=0, organization_id=organization_id, project_id=project_id)


def list_claims(tx: Transaction, organization_id: int, project_id: int | None) -> list[CustomClaims]:
    """What is set for the organization, and after it what is set for its project; each may be missing."""
    values = {"organization_id": organization_id, "project_id": project_id}
    found = rows.fetch_all(tx, CustomClaims, _select_claims(), values)
    return sorted(found, key=lambda each: each.project_id is not None)


def save_claims(tx: Transaction, claims: CustomClaims) -> None:
    """These are set. Whoever saves has locked the row of the organization or the project."""
    values = rows.values_of(claims)
    if claims.id:
        tx.execute(update(custom_claims).where(custom_claims.c.id == claims.id).values(values))
    else:
        rows.insert_row(tx, custom_claims, values)


@cache
def _select_claims() -> Select[Any]:
    mine = or_(
        custom_claims.c.project_id.is_(None),
        custom_claims.c.project_id == bindparam("project_id", type_=custom_claims.c.project_id.type),
    )
    chosen = select(*rows.columns_of(custom_claims, CustomClaims))
    return chosen.where(custom_claims.c.organization_id == bindparam("organization_id"), mine)
