"""Every sealed value of the database: whether its key is there, and sealing it again with the newest."""

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import Select, Table, func, select, tuple_

from penstock.model.errors import RefusedError
from penstock.store.database import Database, Transaction
from penstock.store.schema import context_variables, project_variables, secrets, signing_keys
from penstock.store.sealing import NAME_SPAN, Sealer
from penstock.store.secrets import place_secret
from penstock.store.signing_keys import place_key
from penstock.store.variables import of_context, of_project, place_value

BATCH = 100
"""Values that one transaction looks at: others write in between."""


class Sealed(msgspec.Struct, frozen=True):
    """A table with a column `sealed`: the key of its rows, and what a value of such a row is sealed for."""

    table: Table
    key: tuple[str, str]
    place: Callable[[Any, str], str]


SEALED = (
    Sealed(context_variables, ("context_id", "name"), lambda of, name: place_value(of_context(of), name)),
    Sealed(project_variables, ("project_id", "name"), lambda of, name: place_value(of_project(of), name)),
    Sealed(secrets, ("owner", "name"), place_secret),
    Sealed(signing_keys, ("id", "kid"), lambda _, kid: place_key(kid)),
)
"""All there are."""


class Resealing(msgspec.Struct, kw_only=True):
    """What became of the sealed values; `lost` has the places of those that no present key opens."""

    current: int = 0  # sealed with the newest key before
    resealed: int = 0
    lost: list[str] = []


def count_locked(tx: Transaction, sealer: Sealer) -> int:
    """How many values were sealed with keys that are not among the sealer's."""
    locked = 0
    for each in SEALED:
        key = func.substr(each.table.c.sealed, *NAME_SPAN).label("key")
        for name, count in tx.execute(select(key, func.count()).group_by(key)):
            locked += 0 if sealer.has_key(bytes(name)) else int(count)
    return locked


def reseal_all(db: Database, sealer: Sealer) -> Resealing:
    """Every value that can be opened is sealed with the newest key afterwards. Servers may run meanwhile."""
    done = Resealing()
    for each in SEALED:
        after: tuple[Any, str] | None = None
        while True:
            part, after = db.retry(partial(_reseal_batch, sealer=sealer, column=each, after=after))
            done.current += part.current
            done.resealed += part.resealed
            done.lost += part.lost
            if after is None:
                break
    return done


def _reseal_batch(
    tx: Transaction, sealer: Sealer, column: Sealed, after: tuple[Any, str] | None
) -> tuple[Resealing, tuple[Any, str] | None]:
    """What became of the values after the row of that key, and the key to go on after; None at the end."""
    part = Resealing()
    rows = tx.execute(_select_batch(column, after)).all()
    for owner, name, sealed in rows:
        place = column.place(owner, name)
        if sealer.is_current(sealed):
            part.current += 1
            continue
        try:
            fresh = sealer.seal(sealer.open(sealed, place), place)
        except RefusedError:
            part.lost.append(place)
            continue
        mine = [column.table.c[key] == value for key, value in zip(column.key, (owner, name), strict=True)]
        same = column.table.c.sealed == sealed  # else somebody has just set it anew
        tx.execute(column.table.update().where(*mine, same).values(sealed=fresh))
        part.resealed += 1
    return part, (rows[-1][0], rows[-1][1]) if len(rows) == BATCH else None


def _select_batch(column: Sealed, after: tuple[Any, str] | None) -> Select[Any]:
    key = [column.table.c[name] for name in column.key]
    chosen = select(*key, column.table.c.sealed).order_by(*key).limit(BATCH)
    return chosen if after is None else chosen.where(tuple_(*key) > tuple_(*after))
