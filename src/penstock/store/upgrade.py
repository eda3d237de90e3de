"""The schema of a database is brought to the present version, or the database is refused."""

from sqlalchemy import Column, Connection, MetaData, String, Table, insert, inspect, select, text

from penstock.model.errors import RefusedError
from penstock.store.columns import complete_indexes
from penstock.store.schema import metadata

HEAD = "0014"
"""The newest migration; versions are numbers of four digits."""

version_table = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))
"""Alembic's own table, known here so that a fresh or present database is opened without importing it."""

_UPGRADE_LOCK = 0x70656E73


def ensure_schema(tx: Connection) -> None:
    """The database has the present schema afterwards; a present one costs one query.

    A fresh database is made straight from the metadata. Raises RefusedError when a newer program or
    another one has made the tables.
    """
    if tx.dialect.name == "postgresql":
        tx.execute(text(f"SELECT pg_advisory_xact_lock({_UPGRADE_LOCK})"))
    version = read_version(tx)
    if version == HEAD:
        return
    if version is None:
        create_schema(tx)
    elif not version.isdecimal() or int(version) > int(HEAD):
        raise RefusedError(
            f"the database was made by a newer penstock (schema {version}, this one knows {HEAD}): "
            "upgrade this program"
        )
    else:
        migrate(tx, HEAD)


def read_version(tx: Connection) -> str | None:
    """The version the database says it has; None for a database without tables.

    Raises RefusedError when there are tables but no version.
    """
    names = inspect(tx).get_table_names()
    if version_table.name in names:
        return stored_version(tx)
    if names:
        raise RefusedError("the database holds tables that penstock did not make: name an empty one")
    return None


def stored_version(tx: Connection) -> str:
    """The version a database with tables says it has."""
    return str(tx.execute(select(version_table.c.version_num)).scalar_one())


def create_schema(tx: Connection) -> None:
    """Make every table in an empty database and note the version."""
    if tx.dialect.name == "postgresql":
        complete_indexes(metadata)
    metadata.create_all(tx, checkfirst=False)
    version_table.create(tx, checkfirst=False)
    tx.execute(insert(version_table).values(version_num=HEAD))


def migrate(tx: Connection, target: str) -> None:
    """Run the migrations up to `target` inside the given transaction."""
    from penstock.store.migrations.run import run_migrations

    run_migrations(tx, target)
