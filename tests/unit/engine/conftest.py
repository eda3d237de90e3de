"""An engine on a SQLite file."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.lab import Lab


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    made = Lab(f"sqlite:///{tmp_path}/penstock.db", tmp_path)
    yield made
    made.close()
