"""The databases that tests of the store and of the engine run on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

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
