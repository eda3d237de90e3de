"""What jobs leave has names that lead nowhere else."""

import pytest

from penstock.model.output import confine_path


@pytest.mark.parametrize(
    ("name", "safe"),
    [("a/../../b", "a/b"), ("/x//y", "x/y"), ("..", "file"), ("", "file"), ("./a", "a"), ("a b/ü", "a b/ü")],
)
def test_paths_of_artifacts_never_lead_out(name: str, safe: str) -> None:
    assert confine_path(name) == safe
