"""Databases for tests: a SQLite file, and a private PostgreSQL server where the machine has the programs."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from penstock.store.schema import metadata
from penstock.store.upgrade import HEAD

if TYPE_CHECKING:
    import psycopg

START_SECONDS = 30.0
VERSION_TABLE = "alembic_version"
TABLES = {VERSION_TABLE, *metadata.tables}
MOST_USES = 50
"""Tests that one database serves: rows that were removed still take room."""

_DELETES = "; ".join(str(table.delete()) for table in metadata.tables.values())
EMPTY = f"BEGIN; SET LOCAL session_replication_role = replica; {_DELETES}; COMMIT"
COUNT_ANEW = "SELECT setval(format('%I', sequencename)::regclass, start_value, false) FROM pg_sequences"

KINDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


def find_postgresql() -> Path | None:
    """The folder with the newest server programs, as Debian installs them or on the PATH."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    found = shutil.which("postgres")
    if found:
        folders.insert(0, Path(found).parent)
    complete = [
        folder for folder in folders if (folder / "initdb").exists() and (folder / "postgres").exists()
    ]
    return complete[-1] if complete else None


class PostgresServer:
    """A server of our own in a temporary folder, on a socket there; it dies with this process."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._folder = Path(tempfile.mkdtemp(prefix="pg-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._made = 0
        self._used: list[
            tuple[str, int]
        ] = []  # emptied databases with the schema, and how often each was used

    def start(self) -> None:
        """The server answers afterwards."""
        folder = self._folder
        as_user = _other_user(folder)
        initdb = [os.fspath(self._programs / "initdb"), "-D", os.fspath(folder / "data")]
        options = ["-U", "penstock", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8"]
        subprocess.run([*as_user, *initdb, *options], check=True, capture_output=True, cwd=folder)
        self.resume()

    def resume(self) -> None:
        """The server answers again after `interrupt`, with all that was in it."""
        folder = self._folder
        as_user = _other_user(folder)
        settings = {
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "listen_addresses": "",
            "unix_socket_directories": os.fspath(folder),
            "shared_buffers": "64MB",
            "max_connections": "200",
            "autovacuum": "off",
            "jit": "off",
            "deadlock_timeout": "50ms",
        }
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [*as_user, self._programs / "postgres", "-D", folder / "data", *arguments],
                stdout=log,
                stderr=log,
                cwd=folder,
            )
        self._await_answer()

    def new_database(self) -> str:
        """The URL of a new, empty database."""
        self._made += 1
        name = f"t{self._made}"
        self._ask(f"CREATE DATABASE {name}")
        return self.url(name)

    def lend_database(self) -> tuple[str, int]:
        """The URL of an empty database, with or without the schema, and how often it was used before."""
        return self._used.pop() if self._used else (self.new_database(), 0)

    def take_back(self, url: str, used: int) -> None:
        """The database is emptied for another test, which is sooner than to make one, or it is gone."""
        if used < MOST_USES and self._empty(url):
            self._used.append((url, used + 1))
        else:
            self.drop(url)

    def _empty(self, url: str) -> bool:
        """No row is left of what tests wrote; false for a database whose tables are others than usual."""
        import psycopg

        name = _name_of(url)
        self.cut_connections(name)
        try:
            with self._connect(name) as connection:
                version = connection.execute("SELECT version_num FROM alembic_version").fetchall()
                found = connection.execute(
                    "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
                ).fetchall()
                if version != [(HEAD,)] or {table for (table,) in found} != TABLES:
                    return False
                connection.execute(EMPTY)
                connection.execute(COUNT_ANEW)
        except psycopg.Error:
            return False
        return True

    def url(self, name: str) -> str:
        """The URL of a database of this server."""
        return f"postgresql://penstock@/{name}?host={self._folder}"

    def drop(self, url: str) -> None:
        """Remove the database, cutting whoever is connected."""
        self._ask(f"DROP DATABASE {_name_of(url)} WITH (FORCE)")

    def cut_connections(self, name: str) -> None:
        """Nobody is connected to the database afterwards."""
        cut = f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{name}'"  # noqa: S608 - a name of our own
        self._ask(cut)

    def interrupt(self) -> None:
        """The server has stopped, and cut everybody off."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)  # its "fast" shutdown
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(5)
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        """The server is gone, and its folder."""
        self.interrupt()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _ask(self, statement: str) -> None:
        with self._connect("postgres") as connection:
            connection.execute(statement)

    def _connect(self, name: str) -> "psycopg.Connection[tuple[object, ...]]":
        import psycopg

        return psycopg.connect(
            f"host={self._folder} user=penstock dbname={name}", autocommit=True, connect_timeout=5
        )

    def _await_answer(self) -> None:
        import psycopg

        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self._ask("SELECT 1")
            except psycopg.OperationalError:
                if time.monotonic() > deadline or self._process is None or self._process.poll() is not None:
                    raise
                time.sleep(0.02)  # between two looks at a condition with a deadline
            else:
                return


def _name_of(url: str) -> str:
    return url.split("?", maxsplit=1)[0].rsplit("/", 1)[-1]


def _other_user(folder: Path) -> list[str]:
    """What to put before a command so that root does not run it, which PostgreSQL refuses."""
    if os.geteuid() != 0:
        return []
    shutil.chown(folder, "nobody")
    Path(folder).chmod(0o755)
    return ["setpriv", "--reuid=nobody", "--clear-groups", "--pdeathsig=KILL"]


@contextlib.contextmanager
def fresh_url(request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    """An empty database of the kind that the fixture's parameter names; needs the fixture `postgresql`.

    It may have the schema already, unless the test is marked `bare_database`.
    """
    if request.param == "sqlite":
        yield f"sqlite:///{folder}/penstock.db"
        return
    server: PostgresServer = request.getfixturevalue("postgresql")
    if request.node.get_closest_marker("bare_database"):
        url = server.new_database()
        yield url
        server.drop(url)
        return
    url, used = server.lend_database()
    yield url
    server.take_back(url, used)


def start_postgresql() -> PostgresServer:
    """A running server; the test is skipped where the machine has no PostgreSQL."""
    programs = find_postgresql()
    if programs is None:
        pytest.skip("no PostgreSQL server programs on this machine")
    server = PostgresServer(programs)
    try:
        server.start()
    except BaseException:
        server.stop()
        raise
    return server
