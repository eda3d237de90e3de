"""Whether a server is ready is found out without tying up threads."""

import threading
from pathlib import Path

import pytest

from penstock.bootstrap import readiness
from penstock.bootstrap.folder import DataFolder
from penstock.bootstrap.parts import open_server_parts
from penstock.bootstrap.readiness import Readiness
from penstock.bootstrap.settings import Settings
from penstock.engine.unit import Parts
from penstock.model.errors import UnavailableError
from tests.support.processes import wait_until


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    folder = DataFolder(tmp_path / "data")
    folder.make()
    return open_server_parts(Settings(), folder)


def test_a_server_whose_parts_answer_is_ready_until_it_leaves(parts: Parts) -> None:
    ready = Readiness(parts, Path("/"))
    assert ready.find_reasons() == ()
    ready.leave()
    assert ready.find_reasons() == ("the server is stopping",)
    parts.db.close()


def test_what_does_not_answer_is_named(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise UnavailableError("the database does not answer")

    monkeypatch.setattr(parts.db, "ping", fail)
    assert Readiness(parts, Path("/")).find_reasons() == ("the database does not answer",)
    parts.db.close()


def test_only_one_caller_waits_for_a_part_that_is_slow(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, go = threading.Event(), threading.Event()

    def wait() -> None:
        asked.set()
        go.wait(10)

    monkeypatch.setattr(parts.db, "ping", wait)
    monkeypatch.setattr(readiness, "SLOW", 0.05)
    ready = Readiness(parts, Path("/"))
    first = threading.Thread(target=ready.find_reasons)
    first.start()
    assert asked.wait(5)
    wait_until(lambda: ready.find_reasons() != (), what="it is told that nothing answers")
    assert ready.find_reasons() == ("the database or the blob store does not answer",)
    go.set()
    first.join()
    assert ready.find_reasons() == ()
    parts.db.close()
