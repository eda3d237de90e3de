"""A server that speaks CircleCI's API, without a network."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.circle import CircleSite


@pytest.fixture
def site(tmp_path: Path) -> Iterator[CircleSite]:
    """A site with one project and nothing run yet."""
    made = CircleSite(f"sqlite:///{tmp_path / 'penstock.db'}", tmp_path)
    yield made
    made.close()
