"""What a database complains about, told as an error that a caller can act on."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from penstock.model.errors import ConflictError, PenstockError, UnavailableError


class RolledBackError(ConflictError):
    """The database gave up this transaction for another's sake; the same work may be tried again."""


_SQLITE = {
    "SQLITE_FULL": "the disk that holds the database is full",
    "SQLITE_READONLY": "the database cannot be written: the file or its folder is read-only",
    "SQLITE_BUSY": "the database is locked by another process for too long",
    "SQLITE_LOCKED": "the database is locked by another process for too long",
    "SQLITE_IOERR": "the disk that holds the database reports an error",
    "SQLITE_CANTOPEN": "the database file cannot be opened: check that its folder exists and may be written",
    "SQLITE_CORRUPT": "the database file is damaged: restore it from a backup",
    "SQLITE_NOTADB": "the file is not a SQLite database",
    "SQLITE_PERM": "the database file may not be used by this user",
    "SQLITE_AUTH": "the database file may not be used by this user",
    "SQLITE_NOMEM": "there is not enough memory for the database",
}
"""By the first two words of SQLite's error name."""

_POSTGRES = {
    "08": "the connection to the database is lost",
    "28": "the database refuses the user name or password of the URL",
    "3D": "the database that the URL names does not exist",
    "53": "the database server is out of disk space, memory or connections",
    "55": "the database is busy with something that excludes this work",
    "57": "the database server is stopping or starting",
    "58": "the disk of the database server reports an error",
    "25": "the database cannot be written: it is read-only",
}
"""By the class of the SQLSTATE."""

_EMPTIED = "no such table: "
"""How SQLite begins when it has made an empty file where there was one: every table was there before."""

_ROLLED_BACK = {"40001", "40P01", "23503"}
"""Rivals were in the way, the last time by deleting what a row is about, which is not found the next time."""

_UNIQUE = {"23505", "SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY"}


def explain(cause: BaseException | None, *, lost: bool = False) -> PenstockError | None:
    """The error to raise instead of a driver's, or None for a mistake of our own that must stay as it is.

    `lost` says that the connection cannot be used any more.
    """
    code = getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None) or ""
    if code in _ROLLED_BACK:
        return RolledBackError("the database gave up this change for another's sake; try it again")
    if code in _UNIQUE:
        return ConflictError("somebody else stored the same thing first")
    sentence = _SQLITE.get("_".join(code.split("_")[:2])) or _POSTGRES.get(code[:2])
    if sentence is None and str(cause).startswith(_EMPTIED):
        sentence = "the database file was taken away while it was in use"
    if sentence is None and (lost or _is_unreachable(cause)):
        sentence = "the database does not answer"
    return UnavailableError(f"{sentence} ({_first_line(cause)})") if sentence else None


@contextmanager
def explained() -> Iterator[None]:
    """Inside, what the database complains about is raised as an error of the core."""
    try:
        yield
    except PoolTimeoutError as error:
        raise UnavailableError("all connections to the database are busy for too long") from error
    except DBAPIError as error:
        told = explain(error.orig, lost=error.connection_invalidated)
        if told is None:
            raise
        raise told from error
    except sqlite3.Error as error:
        told = explain(error)
        if told is None:
            raise
        raise told from error


def _is_unreachable(cause: BaseException | None) -> bool:
    """True for a connection that failed before the server could give a code."""
    name = type(cause).__name__
    return name in {"ConnectionTimeout", "OperationalError"} and not getattr(cause, "sqlite_errorname", None)


def _first_line(cause: object) -> str:
    return str(cause).strip().split("\n", 1)[0]
