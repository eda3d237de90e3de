"""INSERT … ON CONFLICT, which both databases speak but SQLAlchemy spells once per dialect."""

from typing import TYPE_CHECKING, cast

from sqlalchemy import Table

if TYPE_CHECKING:
    from sqlalchemy.dialects.sqlite import Insert


def insert_into(dialect: str, table: Table) -> "Insert":
    """An insert that knows `on_conflict_do_nothing` and `on_conflict_do_update`.

    Only the dialect in use is imported: PostgreSQL's costs 15 ms that a local run need not pay.
    """
    if dialect == "sqlite":
        from sqlalchemy.dialects.sqlite import insert

        return insert(table)
    from sqlalchemy.dialects.postgresql import insert as postgresql_insert

    return cast("Insert", postgresql_insert(table))  # the two have the same methods
