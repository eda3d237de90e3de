"""A copy of a SQLite database as it is at one moment, taken while others write."""

import sqlite3
from contextlib import closing
from pathlib import Path

from penstock.model.errors import RefusedError, UnavailableError
from penstock.store.database import parse_url


def find_file(url: str) -> Path | None:
    """The file of a SQLite database, None when the URL is of another kind."""
    parsed = parse_url(url)
    return Path(parsed.database or "") if parsed.get_backend_name() == "sqlite" else None


def copy_database(source: Path, target: Path) -> None:
    """The new file `target` holds all that was committed when the copy began.

    Raises UnavailableError when the database cannot be read or the copy not be written.
    """
    if not source.exists():
        raise UnavailableError(f"there is no database {source}")
    try:
        with closing(sqlite3.connect(source, timeout=15)) as old, closing(sqlite3.connect(target)) as new:
            old.backup(new)
            new.execute("PRAGMA journal_mode = DELETE").close()
    except sqlite3.Error as error:
        raise UnavailableError(f"the database {source} cannot be copied: {error}") from error


def check_file(file: Path) -> None:
    """Return when the file is a sound SQLite database; raise RefusedError when it is not."""
    try:
        with closing(sqlite3.connect(file)) as database:
            (told,) = database.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        raise RefusedError(f"the database in it is damaged: {error}") from error
    if told != "ok":
        raise RefusedError(f"the database in it is damaged: {told}")
