"""A database and its transactions: SQLite with one writer at a time, or PostgreSQL.

Work is done in `with db.write() as tx:` and `with db.read() as tx:`; leaving the block commits, an
exception rolls back. What the database complains about comes out as an error of `penstock.model.errors`.
"""

import math
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Self, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

from penstock.model.errors import InvalidError, UnavailableError
from penstock.store.failures import RolledBackError, explained
from penstock.store.quick import Shelf
from penstock.store.upgrade import ensure_schema, read_version

T = TypeVar("T")

Transaction = Connection
"""What every function of the store takes first: an open transaction."""

PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",  # a commit that was answered survives a power cut
    "PRAGMA foreign_keys = ON",
    "PRAGMA cache_size = -8192",  # KiB for each connection
    "PRAGMA temp_store = MEMORY",
    "PRAGMA journal_size_limit = 67108864",
)

IDLE_SECONDS = 5.0
"""A PostgreSQL connection that was unused for longer is tested before it is used again."""


class Database:
    """An open database with the present schema. All calls may be made from several threads at once."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sqlite = engine.dialect.name == "sqlite"
        self._files = Shelf(engine)
        self._turn = threading.Lock()
        self._writer: int | None = None

    @classmethod
    def open(cls, url: str, *, patience: float = 15.0) -> Self:
        """The database at `sqlite:///path`, `postgresql://…` or a plain path, made or upgraded when needed.

        `patience` is how many seconds a writer waits for those of other processes on SQLite, or for the
        server to accept a connection. Raises InvalidError for another kind of URL, RefusedError when a
        newer program has made the schema, UnavailableError when the database does not answer.
        """
        parsed = parse_url(url)
        make = _open_sqlite if parsed.get_backend_name() == "sqlite" else _open_postgresql
        database = cls(make(parsed, patience))
        try:
            with database.write() as tx:
                ensure_schema(tx)
        except BaseException:
            database.close()
            raise
        return database

    @property
    def is_sqlite(self) -> bool:
        """True when one file holds everything."""
        return self._sqlite

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """A transaction that may change rows. Must not be nested in another of the same thread.

        On SQLite it begins when every earlier writer of this process and of others has ended.
        """
        with explained(), self._my_turn(), self._lend("BEGIN IMMEDIATE") as tx:
            yield tx
            tx.commit()

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """A transaction that only looks; on SQLite all its statements see one and the same moment."""
        with explained(), self._lend("BEGIN") as tx:
            yield tx

    @contextmanager
    def outside(self) -> Iterator[Connection]:
        """A connection of which each statement is a transaction of its own."""
        with explained(), self._engine.connect() as connection:
            yield connection.execution_options(isolation_level="AUTOCOMMIT")

    def version(self) -> int | None:
        """A number that is another after every commit of anybody; None for PostgreSQL, which has none.

        What was read after it was asked for is still so while it is the same.
        """
        if not self._sqlite:
            return None
        with explained():
            return self._files.version()

    @contextmanager
    def moment(self) -> Iterator[Transaction]:
        """A transaction that only looks; all its statements see one and the same moment on both databases."""
        if self._sqlite:
            with self.read() as tx:
                yield tx
            return
        with explained(), self._engine.connect() as tx:
            yield tx.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    def ping(self) -> None:
        """The database answers. Raises UnavailableError when it does not."""
        with self.read() as tx:
            tx.exec_driver_sql("SELECT 1")

    def ask_time(self) -> float:
        """The database server's clock, in seconds since the epoch; our own for SQLite."""
        if self._sqlite:
            return time.time()
        with self.read() as tx:
            return float(tx.exec_driver_sql("SELECT extract(epoch FROM clock_timestamp())").scalar_one())

    def count_room(self) -> int | None:
        """How many more connections the database server takes from this user; None for SQLite."""
        if self._sqlite:
            return None
        with self.read() as tx:
            return int(
                tx.exec_driver_sql(
                    "SELECT current_setting('max_connections')::int "
                    "- current_setting('superuser_reserved_connections')::int "
                    "- (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')"
                ).scalar_one()
            )

    def retry(self, work: Callable[[Transaction], T], attempts: int = 6) -> T:
        """What `work` returned in a transaction that was committed.

        It is called again, with a growing pause, when PostgreSQL gave the transaction up because of a
        deadlock, a serialization failure or a row that a rival has deleted, so it must have no effects
        beside the transaction. The last failure is raised.
        """
        for attempt in range(attempts - 1):
            try:
                with self.write() as tx:
                    return work(tx)
            except RolledBackError:
                time.sleep(random.uniform(0.2, 1.0) * 0.02 * 2**attempt)  # noqa: S311 - spreads rivals, guards nothing
        with self.write() as tx:
            return work(tx)

    def compact(self) -> None:
        """Give the room of removed rows back to the disk; PostgreSQL sees to that itself.

        Others cannot write meanwhile.
        """
        if self._sqlite:
            with explained(), self._my_turn(), self._engine.connect() as tx:
                tx.exec_driver_sql("VACUUM")
                tx.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Give back every connection; the database must not be used afterwards."""
        self._files.close()
        self._engine.dispose()

    def _lend(self, begin: str) -> AbstractContextManager[Transaction]:
        """A connection in a transaction, which is rolled back at the end unless it was committed."""
        return self._files.lend(begin) if self._sqlite else self._engine.connect()

    @contextmanager
    def _turn_taken(self) -> Iterator[None]:
        me = threading.get_ident()
        if self._writer == me:
            raise RuntimeError("a write transaction is open in this thread already")
        with self._turn:
            self._writer = me
            try:
                yield
            finally:
                self._writer = None

    def _my_turn(self) -> Any:  # noqa: ANN401 - a context manager of None
        """Writers of one process queue here, which is fairer and cheaper than SQLite's polling."""
        return self._turn_taken() if self._sqlite else nullcontext()


def find_version(url: str, *, patience: float = 15.0) -> str | None:
    """The version of the schema at the URL, None when there is none yet; nothing is made or changed.

    Raises what `Database.open` does.
    """
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite":
        if not Path(parsed.database or "").exists():
            return None
        database = Database(_open_sqlite(parsed, patience))
    else:
        database = Database(_open_postgresql(parsed, patience))
    try:
        with database.read() as tx:
            return read_version(tx)
    finally:
        database.close()


def parse_url(url: str) -> URL:
    """The URL with its driver named. Raises InvalidError when it is neither SQLite nor PostgreSQL."""
    if "://" not in url:
        return URL.create("sqlite", database=url)
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise InvalidError("the database URL cannot be read") from error
    match parsed.drivername:
        case "sqlite":
            if not parsed.database or parsed.database == ":memory:":
                raise InvalidError("a SQLite database needs a file: sqlite:///folder/penstock.db")
            return parsed
        case "postgresql" | "postgres" | "postgresql+psycopg":
            return parsed.set(drivername="postgresql+psycopg")
        case _:
            pass
    raise InvalidError(f"no database of the kind {parsed.drivername!r}: use sqlite:///… or postgresql://…")


def _open_sqlite(url: URL, patience: float) -> Engine:
    """An engine whose connections leave BEGIN and COMMIT to us and have the pragmas set."""
    _create_private(Path(url.database or ""))
    engine = create_engine(
        url,
        connect_args={
            "isolation_level": None,
            "check_same_thread": False,
            "timeout": patience,
            "cached_statements": 512,
        },
        poolclass=NullPool,  # `Shelf` keeps them
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _entry: ConnectionPoolEntry) -> None:  # noqa: ANN401 - sqlite3's own connection
        for pragma in PRAGMAS:
            connection.execute(pragma).close()

    return engine


def _create_private(path: Path) -> None:
    """Make the file readable by its owner only, when it does not exist yet."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise UnavailableError(f"the database file {path} cannot be opened: {error.strerror}") from error


def _open_postgresql(url: URL, patience: float) -> Engine:
    """An engine whose connections are tested after a pause, so that a restarted server goes unnoticed."""
    engine = create_engine(
        url,
        connect_args={"connect_timeout": max(math.ceil(patience), 2), "application_name": "penstock"},
        isolation_level="READ COMMITTED",
        pool_size=16,
        max_overflow=16,
        pool_timeout=30,
        pool_use_lifo=True,
    )

    @event.listens_for(engine, "checkin")
    def _note_use(_connection: Any, entry: ConnectionPoolEntry) -> None:  # noqa: ANN401 - psycopg's own connection
        entry.info["used"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _test_idle(connection: Any, entry: ConnectionPoolEntry, _proxy: object) -> None:  # noqa: ANN401 - the same
        if time.monotonic() - entry.info.get("used", time.monotonic()) > IDLE_SECONDS:
            try:
                connection.execute("SELECT 1")
                connection.rollback()
            except engine.dialect.loaded_dbapi.Error as error:
                raise DisconnectionError from error

    return engine
