"""Runs migrations inside an open transaction, without any configuration file."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

_FOLDER = str(Path(__file__).parent)


def run_migrations(tx: Connection, target: str) -> None:
    """The database has the schema of version `target` when the transaction commits."""
    config = Config()
    config.set_main_option("script_location", _FOLDER.replace("%", "%%"))
    config.attributes["connection"] = tx
    command.upgrade(config, target)


def newest_version() -> str | None:
    """The version of the last migration."""
    return ScriptDirectory(_FOLDER).get_current_head()
