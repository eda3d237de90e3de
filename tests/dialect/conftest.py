"""A server that speaks all dialects, without a network, on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.circle import CircleSite
from tests.support.databases import KINDS, fresh_url


@pytest.fixture(params=KINDS)
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CircleSite]:
    """A site with one project and nothing run yet."""
    with fresh_url(request, tmp_path) as url:
        made = CircleSite(url, tmp_path)
        yield made
        made.close()


def pytest_itemcollected(item: pytest.Item) -> None:
    """What engine and store do on PostgreSQL has tests of its own: here it comes only with all else."""
    if item.get_closest_marker("postgres") is not None:
        item.add_marker("slow")
