"""Change fragments are named so that a release can gather them."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAME = re.compile(r"[a-z0-9-]+\.(added|changed|fixed|removed|security)\.md")


def test_every_fragment_has_a_kind_and_a_text() -> None:
    fragments = [path for path in (ROOT / "changes").iterdir() if path.name != "README.md"]
    assert [path.name for path in fragments if not NAME.fullmatch(path.name)] == []
    assert [path.name for path in fragments if not path.read_text().strip()] == []
