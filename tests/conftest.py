"""The PostgreSQL server that tests share; those that stop it start one of their own."""

from collections.abc import Iterator

import pytest

from tests.support.databases import PostgresServer, start_postgresql


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresServer]:
    """One server for all tests of this process."""
    server = start_postgresql()
    yield server
    server.stop()
