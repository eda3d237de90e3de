"""The same server, asked in Penstock's own words."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.databases import KINDS, fresh_url
from tests.support.own_api import OwnSite


@pytest.fixture(params=KINDS)
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OwnSite]:
    """A site with one project and nothing run yet."""
    with fresh_url(request, tmp_path) as url:
        made = OwnSite(url, tmp_path)
        yield made
        made.close()
