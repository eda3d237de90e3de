"""Every test of the store runs on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.store.database import Database
from tests.support.databases import KINDS, PostgresServer, fresh_url, start_postgresql


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresServer]:
    """One server for the whole session of this process."""
    server = start_postgresql()
    yield server
    server.stop()


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of its own for each test."""
    with fresh_url(request, tmp_path) as fresh:
        yield fresh


@pytest.fixture
def db(url: str) -> Iterator[Database]:
    """A fresh database, closed after the test."""
    database = Database.open(url)
    yield database
    database.close()


@pytest.fixture
def postgresql_db(postgresql: PostgresServer) -> Iterator[Database]:
    """A fresh database that has several writers at once."""
    url = postgresql.new_database()
    database = Database.open(url)
    yield database
    database.close()
    postgresql.drop(url)
