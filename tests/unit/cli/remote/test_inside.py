from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.cli.remote.inside import Inside
from penstock.model.errors import InvalidError, UnavailableError


def list_names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def write(folder: Path, path: str, text: str = "x") -> Path:
    with Inside(folder) as inside:
        return inside.write(path, [text.encode()])


def test_files_are_written_below_the_folder_with_the_folders_they_need(tmp_path: Path) -> None:
    folder = tmp_path / "new/out"
    assert write(folder, "a/b c.txt", "one") == folder / "a/b c.txt"
    assert (folder / "a/b c.txt").read_text() == "one"
    write(folder, "a/b c.txt", "two")
    assert (folder / "a/b c.txt").read_text() == "two"
    assert list_names(folder / "a") == ["b c.txt"]


@pytest.mark.parametrize("path", ["", ".", "..", "../x", "a/../../x", "/etc/x", "a//b", "a/", "a\0b", "./a"])
def test_a_path_that_leads_elsewhere_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(InvalidError):
        write(tmp_path / "out", path)
    assert list_names(tmp_path / "out") == []
    assert list_names(tmp_path) == ["out"]


def test_no_link_is_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("kept")
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "link").symlink_to(outside)
    (folder / "file").symlink_to(outside / "file")
    with pytest.raises(InvalidError, match="cannot be reached"):
        write(folder, "link/x")
    write(folder, "file", "new")
    assert (outside / "file").read_text() == "kept"
    assert list_names(outside) == ["file"]
    assert (folder / "file").read_text() == "new"
    assert not (folder / "file").is_symlink()


def test_a_file_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"half"
        raise UnavailableError("cut")

    with Inside(tmp_path) as inside, pytest.raises(UnavailableError):
        inside.write("file", pieces())
    assert list_names(tmp_path) == []


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UnavailableError):
        Inside(tmp_path / "file/out")
    with pytest.raises(InvalidError):
        write(tmp_path, "file/below")
