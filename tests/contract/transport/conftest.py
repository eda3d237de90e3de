"""The server as an agent sees it, in this process and behind a network: every test runs on both."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.lab import Lab
from tests.support.stations import KINDS, Station, open_station


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """An engine on a database of its own."""
    made = Lab(f"sqlite:///{tmp_path}/penstock.db", tmp_path)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture(params=KINDS)
def station(request: pytest.FixtureRequest, lab: Lab) -> Iterator[Station]:
    """Agents of the engine, and the way they speak to it."""
    with open_station(request.param, lab) as made:
        yield made
