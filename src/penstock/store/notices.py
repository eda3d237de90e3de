"""Words that servers on one PostgreSQL call out to each other; whoever does not listen misses them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from penstock.model.errors import UnavailableError
from penstock.store.database import Database

CHANNEL = "penstock_work"

if TYPE_CHECKING:
    import psycopg

Hear = Callable[[float], list[str]]
"""Waits at most so many seconds for words and returns those that came, oldest first."""


def call_out(db: Database, word: str) -> None:
    """Everybody who listens hears the word, the caller too. Raises UnavailableError."""
    with db.write() as tx:
        tx.exec_driver_sql("SELECT pg_notify(%s, %s)", (CHANNEL, word))


@contextmanager
def listening(db: Database) -> Iterator[Hear]:
    """Words called out from here on can be heard until the block is left.

    It takes a connection of its own. Raises UnavailableError when that breaks; words may be lost then.
    """
    import psycopg  # most servers have no PostgreSQL, and it is slow to import

    with db.outside() as connection:
        raw = connection.connection.driver_connection
        if not isinstance(raw, psycopg.Connection):
            raise TypeError("only PostgreSQL carries words")
        connection.exec_driver_sql(f"LISTEN {CHANNEL}")
        try:
            yield lambda seconds: _hear(raw, seconds)
        finally:
            connection.invalidate()  # it listens: nobody else may get it


def _hear(raw: "psycopg.Connection[tuple[object, ...]]", seconds: float) -> list[str]:
    import psycopg

    try:
        return [notice.payload for notice in raw.notifies(timeout=seconds, stop_after=1)]
    except psycopg.Error as error:
        raise UnavailableError("the connection to the database broke") from error
