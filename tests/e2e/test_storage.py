"""A data folder that is full, forbidden, damaged or of a newer program; an output folder that is no use."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from penstock.cli.exit import Exit
from tests.support.command import Outcome, Project
from tests.support.processes import processes_with

ONE = "version: 2.1\njobs: {build: {machine: true, steps: [{run: echo hello}]}}\n"
MANY = """
version: 2.1
jobs:
  build:
    machine: true
    steps:
      - run: head -c 30000000 /dev/urandom > file
      - store_artifacts: {path: file}
"""


def check_refusal(outcome: Outcome, *words: str) -> None:
    assert outcome.status == Exit.UNAVAILABLE, outcome
    assert outcome.err.startswith("penstock: ")
    assert "Traceback" not in outcome.err
    for word in words:
        assert word in outcome.err


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[None]:
    """Inside, the folder is a file system of that size."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    folder.mkdir(parents=True, exist_ok=True)
    options = f"size={size},mode=700"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("size", ["64k", "300k", "8m", "24m"])
def test_a_disk_that_fills_up_at_any_moment_is_no_success(tmp_path: Path, size: str) -> None:
    project = Project(tmp_path, MANY)
    with small_disk(project.home, size):
        outcome = project.call("run")
        if outcome.status != Exit.FAILED:  # the job itself may be the first that finds no room
            check_refusal(outcome, str(project.home))
        assert "Traceback" not in outcome.err
        assert processes_with(str(tmp_path)) == []
        for call in ("runs", "logs"):
            again = project.call(call)
            assert again.status in {Exit.SUCCESS, Exit.UNAVAILABLE, Exit.USAGE}
            assert "Traceback" not in again.err
            assert "success" not in again.out


def test_a_full_output_folder_hides_no_result(tmp_path: Path) -> None:
    project = Project(tmp_path, MANY)
    with small_disk(project.output, "1m"):
        outcome = project.run()
        check_refusal(outcome, str(project.output), "No space left")
    assert "build: success" in outcome.out
    assert "penstock logs --run 1" in outcome.out
    assert "success" in project.call("runs").out


def test_an_output_folder_that_may_not_be_written_is_told_before_the_run(tmp_path: Path) -> None:
    project = Project(tmp_path, ONE)
    project.output.mkdir(mode=0o500)
    outcome = project.call_as_user("run", "--output", str(project.output))
    check_refusal(outcome, str(project.output), "Permission denied")
    assert outcome.out == ""
    check_refusal(project.call("run", "--output", "/proc/nowhere"), "/proc/nowhere")


def test_a_data_folder_that_may_not_be_written_is_told(tmp_path: Path) -> None:
    project = Project(tmp_path, ONE)
    assert project.call("run").status == 0
    project.home.chmod(0o500)
    for call in ("run", "runs", "logs"):
        check_refusal(project.call_as_user(call), str(project.home), "PENSTOCK_HOME")
    project.home.chmod(0o700)
    (project.home / "penstock.db").chmod(0o400)
    check_refusal(project.call_as_user("run"), str(project.home))
    (project.home / "penstock.db").chmod(0o600)
    (project.home / "blobs").chmod(0o500)
    (project.home / "runs").chmod(0o500)
    check_refusal(project.call_as_user("run"), str(project.home))


def garble(path: Path) -> None:
    path.write_bytes(b"garbage" * 2000)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def overwrite_pages(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:100] + bytes(len(data) - 100))


def make_newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()


def make_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def make_foreign(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE jobs (title TEXT)")
        connection.execute("INSERT INTO jobs VALUES ('a row of others')")
        connection.commit()


@pytest.mark.parametrize("damage", [garble, cut, overwrite_pages, make_newer, make_folder, make_foreign])
def test_a_database_that_cannot_be_used_is_told_and_left_alone(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    project = Project(tmp_path, ONE)
    assert project.call("run").status == 0
    path = project.home / "penstock.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    damage(path)
    for call in ("run", "runs", "logs"):
        outcome = project.call(call)
        check_refusal(outcome, str(path))
        assert outcome.out == ""
    assert list((project.home / "runs").iterdir()) == []
    if damage is make_foreign:
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("SELECT title FROM jobs").fetchall() == [("a row of others",)]


def test_a_data_folder_that_vanishes_during_a_run_is_no_success(tmp_path: Path) -> None:
    config = ONE.replace("echo hello", "rm -rf $WHERE; sleep 0.3; echo hello")
    project = Project(tmp_path, config)
    (tmp_path / "env").write_text(f"WHERE={project.home}\n")
    outcome = project.call("run", "--env-file", str(tmp_path / "env"))
    assert outcome.status in {Exit.UNAVAILABLE, Exit.FAILED}, outcome
    assert "Traceback" not in outcome.err
    assert processes_with(str(tmp_path)) == []
    shutil.rmtree(project.home, ignore_errors=True)
    (project.folder / ".circleci/config.yml").write_text(ONE)
    assert project.call("run").status == 0
