"""A server that speaks Penstock's own API, without a network, on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.databases import KINDS, PostgresServer, fresh_url, start_postgresql
from tests.support.own_api import OwnSite


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresServer]:
    """One server for all tests of this folder."""
    server = start_postgresql()
    yield server
    server.stop()


@pytest.fixture(params=KINDS)
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OwnSite]:
    """A site with one project and nothing run yet."""
    with fresh_url(request, tmp_path) as url:
        made = OwnSite(url, tmp_path)
        yield made
        made.close()
