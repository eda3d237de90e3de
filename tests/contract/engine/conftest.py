"""Every test of the engine runs on both databases, and what must stay true is looked at after each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.invariants import check_all
from tests.support.lab import Lab


@pytest.fixture
def lab(url: str, tmp_path: Path) -> Iterator[Lab]:
    """An engine on the database."""
    made = Lab(url, tmp_path)
    try:
        yield made
        check_all(made.parts, made.changes)
    finally:
        made.close()
