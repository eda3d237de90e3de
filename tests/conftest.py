"""What all tests share: a PostgreSQL server, unless they stop it, and that Ctrl-C and a hang-up are heard."""

from collections.abc import Iterator

import pytest

from tests.support.databases import PostgresServer, start_postgresql
from tests.support.programs import hear_interrupts


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresServer]:
    """One server for all tests of this process."""
    server = start_postgresql()
    yield server
    server.stop()


@pytest.fixture(scope="session", autouse=True)
def _interrupts() -> None:
    hear_interrupts()
