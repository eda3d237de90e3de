"""Every test of the store runs on both databases."""

from collections.abc import Iterator

import pytest

from penstock.store.database import Database
from tests.support.databases import PostgresServer


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
