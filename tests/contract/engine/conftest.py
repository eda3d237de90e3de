"""Every test of the engine runs on both databases, and what must stay true is looked at after each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.databases import KINDS, PostgresServer, fresh_url, start_postgresql
from tests.support.invariants import check_all
from tests.support.lab import Lab


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresServer]:
    """One server for all tests of this folder."""
    server = start_postgresql()
    yield server
    server.stop()


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of its own for each test."""
    with fresh_url(request, tmp_path) as fresh:
        yield fresh


@pytest.fixture
def lab(url: str, tmp_path: Path) -> Iterator[Lab]:
    """An engine on the database."""
    made = Lab(url, tmp_path)
    try:
        yield made
        check_all(made.parts, made.changes)
    finally:
        made.close()
