"""How git's refusals are worded."""

from pathlib import Path

import pytest

from penstock.forge.checkout import read_checkout, take_snapshot
from penstock.forge.command import GitFailedError, run_git
from penstock.model.errors import RefusedError
from tests.support.repositories import make_repository


def test_a_refusal_names_the_command_and_what_git_said(tmp_path: Path) -> None:
    with pytest.raises(GitFailedError, match=r"^git log: fatal: not a git repository"):
        run_git("-c", "core.bare=false", "log", cwd=tmp_path)


def test_a_file_that_cannot_be_taken_is_named(tmp_path: Path) -> None:
    top = make_repository(tmp_path / "app", {"a": ""})
    make_repository(top / "inner", {})
    (top / "inner/.git/refs/heads/main").unlink()
    with pytest.raises(GitFailedError, match=r"^git add: error: 'inner/' does not have a commit checked out"):
        take_snapshot(read_checkout(top), tmp_path / "snapshot")


def test_a_folder_that_cannot_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    for name in ("nowhere", "loop", "x" * 5000):
        with pytest.raises(RefusedError, match="folder"):
            read_checkout(tmp_path / name)
