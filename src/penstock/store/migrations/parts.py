"""The parts that migrations are written with; what is here must keep its meaning for ever."""

from typing import Any

import sqlalchemy as sa
from alembic import op

TEXT = sa.Text()
BYTEWISE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
WHOLE = sa.BigInteger()
REAL = sa.Float(53)
FLAG = sa.Boolean()
BINARY = sa.LargeBinary()
ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def identity() -> sa.Column[Any]:
    """The integer primary key."""
    return sa.Column("id", ROW_ID, nullable=False)


def column(name: str, kind: Any, *, default: str) -> sa.Column[Any]:  # noqa: ANN401 - a type of SQLAlchemy
    """One column with a default."""
    return sa.Column(name, kind, nullable=False, server_default=sa.text(default))


def columns(kind: Any, *names: str, nullable: bool = False) -> list[sa.Column[Any]]:  # noqa: ANN401 - the same
    """Columns of one type."""
    return [sa.Column(name, kind, nullable=nullable) for name in names]


def parent(table: str, name: str, target: str, *, nullable: bool = False) -> sa.Column[Any]:
    """A reference to the row above, with which this one goes away."""
    reference = sa.ForeignKey(f"{target}.id", name=f"{table}_{name}_fkey", ondelete="CASCADE")
    return sa.Column(name, ROW_ID, reference, nullable=nullable, autoincrement=False)


def primary_key(table: str, *names: str) -> sa.PrimaryKeyConstraint:
    """The primary key."""
    return sa.PrimaryKeyConstraint(*names, name=f"{table}_pkey")


def unique(table: str, *names: str) -> sa.UniqueConstraint:
    """No two rows have the same values."""
    return sa.UniqueConstraint(*names, name=f"{table}_{'_'.join(names)}_key")


def make_index(name: str, table: str, *parts: str, unique: bool = False, where: str = "") -> None:
    """Make an index over names or expressions, only of the rows where the condition holds if there is one."""
    condition = sa.text(where) if where else None
    columns = [sa.text(part) if " " in part else part for part in parts]
    op.create_index(name, table, columns, unique=unique, sqlite_where=condition, postgresql_where=condition)
