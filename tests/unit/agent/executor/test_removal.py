"""Folders are deleted whatever a job did to them."""

import os
from pathlib import Path

from penstock.agent.executor.removal import remove_tree


def test_a_tree_deeper_than_any_path_is_deleted(tmp_path: Path) -> None:
    top = tmp_path / "top"
    top.mkdir()
    here = os.open(top, os.O_RDONLY)
    for _ in range(2500):
        os.mkdir("folder", dir_fd=here)
        deeper = os.open("folder", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = deeper
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)
    remove_tree(top)
    assert list(tmp_path.iterdir()) == []


def test_folders_that_forbid_it_are_deleted(tmp_path: Path) -> None:
    top = tmp_path / "top"
    (top / "a/b/c").mkdir(parents=True)
    (top / "a/b/file").write_text("")
    (top / "a/b/c").chmod(0)
    (top / "a/b").chmod(0o500)
    (top / "a").chmod(0)
    remove_tree(top)
    assert list(tmp_path.iterdir()) == []


def test_links_are_deleted_and_what_they_name_is_not(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept/file").write_text("kept")
    top = tmp_path / "top"
    top.mkdir()
    (top / "link").symlink_to(tmp_path / "kept")
    remove_tree(top)
    remove_tree(tmp_path / "nowhere")
    assert [path.name for path in tmp_path.rglob("*")] == ["kept", "file"]
