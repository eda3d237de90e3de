"""The data folder and the folders of runs in it."""

import multiprocessing
import os
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from penstock.bootstrap.home import Home, RunFolder, find_home, is_abandoned, remove_abandoned
from penstock.model.errors import UnavailableError

SPAWN = multiprocessing.get_context("spawn")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("PENSTOCK_HOME", str(tmp_path / "data"))
    return find_home()


def test_the_data_folder_is_the_first_that_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("XDG_DATA_HOME", "PENSTOCK_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert find_home().root == tmp_path / "home/.local/share/penstock"
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))
    assert find_home().root == tmp_path / "xdg/penstock"
    monkeypatch.setenv("PENSTOCK_HOME", str(tmp_path / "own"))
    assert find_home().root == tmp_path / "own"


def test_only_its_owner_may_look_into_runs(home: Home) -> None:
    folder = RunFolder(home.runs / "one")
    assert home.runs.stat().st_mode & 0o077 == 0
    assert folder.path.stat().st_mode & 0o077 == 0
    folder.remove()


def test_a_data_folder_that_cannot_be_is_refused_with_a_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PENSTOCK_HOME", str(tmp_path / "file/data"))
    with pytest.raises(UnavailableError, match=r"Not a directory\. Set PENSTOCK_HOME to"):
        find_home()


def test_a_folder_of_a_living_run_is_not_abandoned_and_stays(home: Home) -> None:
    folder = RunFolder(home.runs / "one")
    assert not is_abandoned(folder.path)
    remove_abandoned(home)
    assert folder.path.is_dir()
    folder.remove()
    assert list(home.runs.iterdir()) == []


def test_a_folder_that_is_kept_moves_and_its_lock_goes(home: Home) -> None:
    folder = RunFolder(home.runs / "one")
    (folder.path / "file").write_text("kept")
    kept = folder.keep(home.kept)
    assert (kept / "file").read_text() == "kept"
    remove_abandoned(home)
    assert kept.is_dir()
    assert list(home.runs.iterdir()) == []


def die_with_folder(path: Path) -> None:
    RunFolder(path)
    os._exit(0)


def hold_folder(path: Path, held: Event, leave: Event) -> None:
    folder = RunFolder(path)
    held.set()
    leave.wait(30)
    folder.remove()


def test_what_a_process_that_died_left_is_abandoned_and_removed(home: Home) -> None:
    path = home.runs / "one"
    process = SPAWN.Process(target=die_with_folder, args=(path,))
    process.start()
    process.join(30)
    assert path.is_dir()
    assert is_abandoned(path)
    remove_abandoned(home)
    assert list(home.runs.iterdir()) == []


def test_the_folder_of_another_living_process_is_not_abandoned(home: Home) -> None:
    path = home.runs / "one"
    held, leave = SPAWN.Event(), SPAWN.Event()
    process = SPAWN.Process(target=hold_folder, args=(path, held, leave))
    process.start()
    assert held.wait(30)
    remove_abandoned(home)
    assert path.is_dir()
    assert not is_abandoned(path)
    leave.set()
    process.join(30)
    assert list(home.runs.iterdir()) == []


def test_a_folder_or_a_lock_alone_is_a_rest_and_removed(home: Home) -> None:
    (home.runs / "folder").mkdir()
    (home.runs / "lock.lock").write_text("")
    assert is_abandoned(home.runs / "folder")
    remove_abandoned(home)
    assert list(home.runs.iterdir()) == []


def test_a_run_whose_folder_exists_is_refused(home: Home) -> None:
    (home.runs / "one").mkdir()
    with pytest.raises(UnavailableError, match="File exists"):
        RunFolder(home.runs / "one")
