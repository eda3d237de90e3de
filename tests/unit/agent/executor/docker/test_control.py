import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.agent.executor.docker.control import ControlFolder
from penstock.model.errors import RefusedError


@pytest.fixture
def control(tmp_path: Path) -> Iterator[ControlFolder]:
    control = ControlFolder(tmp_path / "control")
    yield control
    control.close()


def test_what_is_written_is_read(control: ControlFolder) -> None:
    control.write("note", b"long content")
    control.write("note", b"short")
    assert control.read("note") == b"short"
    control.drop("note")
    assert not control.has("note")


def test_a_link_a_job_laid_is_neither_read_nor_written_through(
    control: ControlFolder, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("of the machine")
    (control.path / "link").symlink_to(secret)
    with pytest.raises(RefusedError):
        control.read("link")
    with pytest.raises(RefusedError):
        control.write("link", b"changed")
    assert secret.read_text() == "of the machine"


def test_a_folder_that_was_swapped_for_a_link_leads_nowhere_else(
    control: ControlFolder, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    control.path.rename(tmp_path / "moved")
    (tmp_path / "control").symlink_to(elsewhere)
    control.write("note", b"x")
    assert not any(elsewhere.iterdir())


def test_a_pipe_in_the_place_of_a_file_does_not_hang(control: ControlFolder) -> None:
    os.mkfifo(control.path / "note")
    with pytest.raises(RefusedError):
        control.read("note")
    with pytest.raises(RefusedError):
        control.write("note", b"x")


def test_a_kept_pipe_ends_when_it_is_let_go(control: ControlFolder) -> None:
    control.keep_pipe("hold")
    reader = os.open(control.path / "hold", os.O_RDONLY | os.O_NONBLOCK)
    control.tell("hold", "7")
    assert os.read(reader, 100) == b"7\n"
    with pytest.raises(BlockingIOError):
        os.read(reader, 100)
    control.let_go()
    assert os.read(reader, 100) == b""
    os.close(reader)
