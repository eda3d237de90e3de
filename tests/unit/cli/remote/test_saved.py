import os
from pathlib import Path

import pytest

from penstock.cli.remote.saved import Saved, add_login, drop_login, find_file, load_saved, save
from penstock.model.errors import InvalidError, UnavailableError


def test_what_is_saved_is_read_again_and_for_its_owner_alone(tmp_path: Path) -> None:
    file = find_file({"XDG_CONFIG_HOME": str(tmp_path)})
    assert load_saved(file) == Saved()
    saved = add_login(Saved(), "http://a", "secret")
    save(file, saved)
    assert load_saved(file) == saved
    assert file.stat().st_mode & 0o777 == 0o600
    assert os.listdir(file.parent) == [file.name]  # noqa: PTH208 - names only
    assert "secret" not in repr(saved)


def test_the_last_login_is_the_one_that_is_meant() -> None:
    saved = add_login(add_login(Saved(), "http://a", "1"), "http://b", "2")
    assert (saved.server, saved.tokens) == ("http://b", {"http://a": "1", "http://b": "2"})
    assert drop_login(saved, "http://a").server == "http://b"
    assert drop_login(saved, "http://b") == Saved("", {"http://a": "1"})


def test_a_relative_place_is_none() -> None:
    assert find_file({"XDG_CONFIG_HOME": "here"}) == Path("~/.config/penstock/login.json").expanduser()


def test_a_damaged_file_and_a_full_disk_are_said(tmp_path: Path) -> None:
    file = tmp_path / "login.json"
    file.write_text("{")
    with pytest.raises(InvalidError, match="damaged"):
        load_saved(file)
    with pytest.raises(InvalidError, match="cannot read"):
        load_saved(tmp_path)
    with pytest.raises(UnavailableError, match="cannot write"):
        save(file / "below", Saved())
