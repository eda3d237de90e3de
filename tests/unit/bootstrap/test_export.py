"""Results of a run as files."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.bootstrap.export import export_run, prepare_folder, safe_name, safe_path
from penstock.bootstrap.home import Home
from penstock.bootstrap.parts import open_parts
from penstock.model.errors import UnavailableError
from tests.support.records import add_pipeline


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("build", "build"),
        ("a/b", "a-b"),
        ("../up", "up"),
        ("ümläut 1.2+x@y", "ümläut 1.2+x@y"),
        ("-rf", "rf"),
        ("🎉", "unnamed"),
        ("a\nb\x00c", "a-b-c"),
        ("x" * 300, "x" * 100),
    ],
)
def test_a_name_is_one_part_without_surprises(text: str, name: str) -> None:
    assert safe_name(text) == name


@given(st.text())
def test_no_name_leads_anywhere(text: str) -> None:
    name = safe_name(text)
    assert name
    assert not set(name) & {"/", "\x00", "\n"}
    assert name not in {".", ".."}
    assert not name.startswith((".", "-"))


@pytest.mark.parametrize(
    ("path", "safe"),
    [
        ("a/b.txt", "a/b.txt"),
        ("/etc/passwd", "etc/passwd"),
        ("../../x", "x"),
        ("a/./../b//c/", "a/b/c"),
        ("..", "unnamed"),
        ("", "unnamed"),
        ("a\x00b", "a-b"),
    ],
)
def test_the_path_of_an_artifact_stays_below(path: str, safe: str) -> None:
    assert safe_path(path) == Path(safe)


def test_a_part_that_no_file_system_takes_is_shortened(tmp_path: Path) -> None:
    path = tmp_path / safe_path("ü" * 300 + ".txt")
    path.write_text("")
    assert path.name.endswith(".txt")


def test_a_folder_that_cannot_be_written_is_told_before(tmp_path: Path) -> None:
    prepare_folder(tmp_path / "new/deep")
    assert list((tmp_path / "new/deep").iterdir()) == []
    (tmp_path / "file").write_text("")
    for name in ("file", "file/below"):
        with pytest.raises(UnavailableError, match="cannot write to"):
            prepare_folder(tmp_path / name)


def test_a_run_that_left_nothing_leaves_no_files(tmp_path: Path) -> None:
    parts = open_parts(Home(root=tmp_path))
    with parts.db.write() as tx:
        pipeline = add_pipeline(tx)
    export_run(parts, pipeline, tmp_path / "out")
    parts.db.close()
    assert not (tmp_path / "out").exists()
