"""Blobs: whole or not there, in bounded memory, under safe names."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.model.errors import InvalidError, LimitExceededError, NotFoundError, UnavailableError
from penstock.store.blobs import Blobs, check_name
from tests.support.disks import small_disk
from tests.support.processes import wait_until

MIB = 1 << 20


@pytest.fixture(params=["folder", "file", "memory"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    urls = {"folder": os.fspath(tmp_path / "a b"), "file": f"file://{tmp_path}/a%20b", "memory": "memory:"}
    return Blobs.connect(urls[request.param])


@pytest.mark.parametrize(
    "sizes",
    [[], [0], [1], [5 * MIB], [5 * MIB, 1], [MIB] * 12, [13 * MIB]],
    ids=lambda sizes: f"{sum(sizes)}-{len(sizes)}",
)
def test_what_was_put_is_read_back(blobs: Blobs, sizes: list[int]) -> None:
    chunks = [bytes([index]) * size for index, size in enumerate(sizes)]
    assert blobs.put("a/b.c", iter(chunks)) == sum(sizes)
    assert b"".join(blobs.open("a/b.c")) == b"".join(chunks)
    assert blobs.read("a/b.c") == b"".join(chunks)
    assert dict(blobs.list()) == {"a/b.c": sum(sizes)}


def test_a_blob_is_replaced_and_deleted(blobs: Blobs) -> None:
    blobs.put("x", [b"one"])
    blobs.put("x", [b"two"])
    assert blobs.read("x") == b"two"
    assert blobs.exists("x")
    blobs.delete("x")
    blobs.delete("x")
    assert not blobs.exists("x")


def test_what_is_not_there_is_not_found(blobs: Blobs) -> None:
    with pytest.raises(NotFoundError, match="'none/x'"):
        blobs.open("none/x")
    with pytest.raises(NotFoundError):
        blobs.read("none/x")


def test_names_are_listed_below_a_folder(blobs: Blobs) -> None:
    for name in ("logs/a/1", "logs/a/2", "logs/ab/1", "x"):
        blobs.put(name, [b"1"])
    assert sorted(name for name, _ in blobs.list("logs/a")) == ["logs/a/1", "logs/a/2"]
    assert list(blobs.list("none")) == []


@pytest.mark.parametrize("sent", [0, 3, 12])
def test_a_put_that_is_broken_off_leaves_nothing(blobs: Blobs, tmp_path: Path, sent: int) -> None:
    def broken() -> Iterator[bytes]:
        for _ in range(sent):
            yield b"x" * MIB
        raise LimitExceededError("too large")

    with pytest.raises(LimitExceededError, match="too large"):
        blobs.put("x", broken())
    assert not blobs.exists("x")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_broken_put_leaves_the_old_blob(blobs: Blobs) -> None:
    def broken() -> Iterator[bytes]:
        yield b"x" * (8 * MIB)
        raise LimitExceededError("too large")

    blobs.put("x", [b"old"])
    with pytest.raises(LimitExceededError):
        blobs.put("x", broken())
    assert blobs.read("x") == b"old"


@pytest.mark.parametrize(
    "name",
    [
        *(
            "",
            "/a",
            "a/",
            "a//b",
            "..",
            "a/../b",
            "a/./b",
            "a\x00b",
            "a\nb",
            "a b",
            "é",
            "a\\b",
            "a#1",
            "C:a",
            "~",
        ),
        "x" * 201,
        "/".join(["abcdefghi"] * 100),
    ],
)
def test_an_unsafe_name_is_refused_everywhere(name: str) -> None:
    blobs = Blobs.connect("memory:")
    with pytest.raises(InvalidError):
        check_name(name)
    for call in (blobs.open, blobs.read, blobs.delete, blobs.exists):
        with pytest.raises(InvalidError):
            call(name)
    with pytest.raises(InvalidError):
        blobs.put(name, [b""])


@pytest.mark.parametrize("name", ["a", "a/b", "...", "a..b", "A-Z_0=9+x@y.tar.zst"])
def test_a_plain_name_is_fine(name: str) -> None:
    blobs = Blobs.connect("memory:")
    blobs.put(name, [b"1"])
    assert blobs.read(name) == b"1"


def test_another_kind_of_url_is_refused() -> None:
    with pytest.raises(InvalidError, match="'ftp'"):
        Blobs.connect("ftp://host/x")


def test_a_url_that_cannot_be_used_is_not_repeated_in_the_error() -> None:
    with pytest.raises(UnavailableError, match="az://") as caught:
        Blobs.connect("az://box?sig=sesame")
    assert "sesame" not in str(caught.value)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UnavailableError, match="file/blobs"):
        Blobs.connect(os.fspath(tmp_path / "file" / "blobs"))


def test_threads_put_and_read_side_by_side(blobs: Blobs) -> None:
    def put(index: int) -> None:
        for turn in range(20):
            blobs.put("shared", [bytes([index]) * (turn * 1000 + 1)])
            assert len(set(blobs.read("shared"))) == 1

    threads = [threading.Thread(target=put, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(set(blobs.read("shared"))) == 1


def test_a_large_blob_passes_through_little_memory(tmp_path: Path) -> None:
    code = f"""
import resource
from penstock.store.blobs import Blobs
blobs = Blobs.connect({os.fspath(tmp_path)!r})
blobs.put("warm", [b"x" * (1 << 20)] * 20)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
blobs.put("big", (b"x" * (1 << 20) for _ in range(400)))
assert sum(len(piece) for piece in blobs.open("big")) == 400 << 20
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 80


def test_a_killed_writer_leaves_nothing_under_the_name(tmp_path: Path) -> None:
    code = f"""
import os, signal
from penstock.store.blobs import Blobs
def chunks():
    for _ in range(40):
        yield b"x" * (1 << 20)
    os.kill(os.getpid(), signal.SIGKILL)
Blobs.connect({os.fspath(tmp_path)!r}).put("a/x", chunks())
"""
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == -signal.SIGKILL
    blobs = Blobs.connect(os.fspath(tmp_path))
    assert not blobs.exists("a/x")
    assert list(blobs.list()) == []
    [leftover] = [path for path in tmp_path.rglob("*") if path.is_file()]
    blobs.sweep_leftovers(older_than=leftover.stat().st_mtime - 1)
    assert leftover.exists()
    blobs.sweep_leftovers(older_than=leftover.stat().st_mtime + 1)
    assert not leftover.exists()


def test_a_full_disk_is_unavailable_and_nothing_is_half_stored(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "8m") as disk:
        blobs = Blobs.connect(os.fspath(disk))
        with pytest.raises(UnavailableError, match="full"):
            blobs.put("x", (b"x" * MIB for _ in range(20)))
        # Parts on their way are given up by threads of the library, a moment after the error.
        wait_until(lambda: shutil.disk_usage(disk).free > 7 * MIB, what="what was half stored is gone")
        for index in range(2):
            blobs.put(f"small-{index}", [b"x" * (3 * MIB)])
        with pytest.raises(UnavailableError, match="full"):
            blobs.put("small-2", [b"x" * (3 * MIB)])
        assert sorted(blobs.list()) == [("small-0", 3 * MIB), ("small-1", 3 * MIB)]
        assert sum(path.stat().st_size for path in disk.rglob("*")) == 6 * MIB
