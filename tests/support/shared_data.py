"""Collections of real configs and vectors that lie beside the repository on some machines."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "data"


def find_shared(path: str) -> Path:
    """A file or folder of the collection; skips the test where there is none."""
    found = SHARED / path
    if not found.exists():
        pytest.skip(f"no collection of real data beside the repository: shared/data/{path}")
    return found


def list_shared(pattern: str) -> list[Path]:
    """The files of the collection that match, for parametrisation; empty where there is none."""
    return sorted(SHARED.glob(pattern))
