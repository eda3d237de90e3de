"""The databases that tests of the store and of the engine run on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.databases import KINDS, fresh_url


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of its own for each test."""
    with fresh_url(request, tmp_path) as fresh:
        yield fresh
