"""A snapshot holds what is in the working tree and leaves the original as it was."""

import hashlib
from pathlib import Path

import pytest

from penstock.forge.checkout import read_checkout, take_snapshot
from penstock.model.errors import RefusedError
from tests.support.repositories import git, make_repository, write_files


def fingerprint(folder: Path) -> dict[str, str]:
    """Every file below the folder, `.git` included, with its content's hash and time of change.

    Git may renew the time of a stored object it meets again, to keep it from being collected.
    """
    found = {}
    for path in filter(Path.is_file, folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        time = 0 if name.startswith(".git/objects/") else path.stat().st_mtime_ns
        found[name] = f"{hashlib.sha256(path.read_bytes()).hexdigest()} {time}"
    return found


def files_in(repository: Path, tree: str) -> dict[str, str]:
    names = git(repository, "ls-tree", "-r", "--name-only", tree).split("\n")
    return {name: git(repository, "show", f"{tree}:{name}") for name in names}


def test_a_clean_tree_needs_no_overlay(tmp_path: Path) -> None:
    source = make_repository(tmp_path / "app", {"a.txt": "one"})
    snapshot = take_snapshot(read_checkout(source), tmp_path / "copy")
    assert snapshot.revision.overlay == ""
    assert snapshot.revision.sha == git(source, "rev-parse", "HEAD")
    assert snapshot.revision.branch == "main"
    assert snapshot.revision.subject == "first"


def test_changed_new_and_deleted_files_are_in_the_overlay_and_ignored_ones_are_not(tmp_path: Path) -> None:
    source = make_repository(
        tmp_path / "app", {"kept": "k", "changed": "old", "gone": "g", ".gitignore": "*.log\n"}
    )
    write_files(source, {"changed": "new", "new/file": "n", "debug.log": "noise"})
    (source / "gone").unlink()
    snapshot = take_snapshot(read_checkout(source), tmp_path / "copy")
    assert files_in(snapshot.repository, snapshot.revision.overlay) == {
        ".gitignore": "*.log",
        "changed": "new",
        "kept": "k",
        "new/file": "n",
    }


def test_the_original_is_left_exactly_as_it_was(tmp_path: Path) -> None:
    source = make_repository(tmp_path / "app", {"a": "1", "b": "2"})
    write_files(source, {"a": "changed", "untracked": "u"})
    before = fingerprint(source)
    take_snapshot(read_checkout(source), tmp_path / "copy")
    assert fingerprint(source) == before


def test_staged_changes_stay_staged_in_the_original(tmp_path: Path) -> None:
    source = make_repository(tmp_path / "app", {"a": "1"})
    write_files(source, {"a": "2", "b": "3"})
    git(source, "add", "b")
    take_snapshot(read_checkout(source), tmp_path / "copy")
    assert git(source, "status", "--porcelain") == "M a\nA  b"


def test_a_clone_of_the_snapshot_sees_remote_branches_with_the_current_one_as_if_pushed(
    tmp_path: Path,
) -> None:
    upstream = make_repository(tmp_path / "upstream", {"a": "1"})
    git(upstream, "branch", "release")
    git(tmp_path, "clone", "--quiet", str(upstream), "app")
    source = tmp_path / "app"
    git(source, "checkout", "--quiet", "-b", "topic")
    git(source, "branch", "private")
    write_files(source, {"a": "2"})
    git(source, "commit", "--quiet", "--all", "--message=second")
    snapshot = take_snapshot(read_checkout(source), tmp_path / "copy")
    refs = git(snapshot.repository, "for-each-ref", "--format=%(refname:short)").split("\n")
    assert refs == ["main", "release", "topic"]
    git(tmp_path, "clone", "--quiet", str(snapshot.repository), "clone")
    assert git(tmp_path / "clone", "rev-parse", "HEAD") == git(source, "rev-parse", "HEAD")


def test_tags_come_along(tmp_path: Path) -> None:
    source = make_repository(tmp_path / "app", {"a": "1"})
    git(source, "tag", "--annotate", "v1", "--message=one")
    snapshot = take_snapshot(read_checkout(source), tmp_path / "copy")
    assert git(snapshot.repository, "describe", "--tags", "main") == "v1"


def test_a_repository_without_a_commit_is_taken_as_it_is(tmp_path: Path) -> None:
    source = tmp_path / "app"
    source.mkdir()
    git(source, "init", "--quiet", "--initial-branch=main")
    write_files(source, {"a": "1"})
    snapshot = take_snapshot(read_checkout(source), tmp_path / "copy")
    assert files_in(snapshot.repository, snapshot.revision.sha) == {"a": "1"}


def test_a_folder_without_git_is_taken_as_it_is(tmp_path: Path) -> None:
    source = tmp_path / "app"
    write_files(source, {"a": "1", "deep/b": "2"})
    snapshot = take_snapshot(read_checkout(source), tmp_path / "copy")
    assert files_in(snapshot.repository, snapshot.revision.sha) == {"a": "1", "deep/b": "2"}
    assert sorted(path.name for path in source.iterdir()) == ["a", "deep"]


def test_a_linked_worktree_is_read_like_any_other(tmp_path: Path) -> None:
    source = make_repository(tmp_path / "app", {"a": "1"})
    git(source, "worktree", "add", "--quiet", str(tmp_path / "linked"), "-b", "side")
    write_files(tmp_path / "linked", {"b": "2"})
    snapshot = take_snapshot(read_checkout(tmp_path / "linked"), tmp_path / "copy")
    assert snapshot.revision.branch == "side"
    assert files_in(snapshot.repository, snapshot.revision.overlay) == {"a": "1", "b": "2"}


def test_a_shallow_clone_can_be_cloned_on(tmp_path: Path) -> None:
    upstream = make_repository(tmp_path / "upstream", {"a": "1"})
    write_files(upstream, {"a": "2"})
    git(upstream, "commit", "--quiet", "--all", "--message=second")
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{upstream}", "app")
    snapshot = take_snapshot(read_checkout(tmp_path / "app"), tmp_path / "copy")
    git(tmp_path, "clone", "--quiet", str(snapshot.repository), "clone")
    assert (tmp_path / "clone/a").read_text() == "2"


def test_a_subfolder_stands_for_its_whole_checkout(tmp_path: Path) -> None:
    source = make_repository(tmp_path / "app", {"deep/a": "1"})
    assert read_checkout(source / "deep").top == source


def test_a_detached_head_has_no_branch(tmp_path: Path) -> None:
    source = make_repository(tmp_path / "app", {"a": "1"})
    git(source, "checkout", "--quiet", "--detach")
    snapshot = take_snapshot(read_checkout(source), tmp_path / "copy")
    assert snapshot.revision.branch == ""
    assert git(snapshot.repository, "rev-parse", "HEAD") == git(source, "rev-parse", "HEAD")


def test_the_callers_own_git_variables_do_not_leak_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_repository(tmp_path / "app", {"a": "1"})
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    assert read_checkout(source).top == source


def test_a_missing_folder_is_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="no such folder"):
        read_checkout(tmp_path / "nowhere")
