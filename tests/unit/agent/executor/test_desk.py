"""The desk at which jobs of this machine hand in requests: nothing a job puts there stops it."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.agent.executor.desk import BELL, Desk
from penstock.agent.reply import Errand, Reply
from tests.support.processes import wait_until


class Caller:
    """A desk in a folder, what it was asked, and a job that rings."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bodies: list[bytes] = []
        self.desk = Desk()
        self.seat = self.desk.open(folder, {Errand.CONTINUE: self.answer})

    def answer(self, body: bytes) -> Reply:
        self.bodies.append(body)
        return Reply(status=200, message="Accepted.")

    def ring(self, *names: str) -> None:
        handle = os.open(self.folder / BELL, os.O_WRONLY | os.O_NONBLOCK)
        os.write(handle, "".join(f"{name}\n" for name in names).encode())
        os.close(handle)

    def ask(self, name: str) -> str:
        """The answer to a request as the command makes it."""
        os.mkfifo(self.folder / f"answered-{name}")
        waiting = os.open(self.folder / f"answered-{name}", os.O_RDWR)
        (self.folder / f"continue-{name}").write_text("body")
        self.ring(f"continue-{name}")
        os.read(waiting, 1)
        os.close(waiting)
        return (self.folder / f"answer-{name}").read_text()


@pytest.fixture
def caller(tmp_path: Path) -> Iterator[Caller]:
    made = Caller(tmp_path)
    yield made
    made.desk.dismiss(made.seat)
    made.desk.close()


def test_a_request_is_answered(caller: Caller) -> None:
    assert caller.ask("1-1") == '200\n{"message":"Accepted."}'
    assert caller.ask("1-2") == '200\n{"message":"Accepted."}'


@pytest.mark.parametrize("name", ["", "../1-1", "/etc/passwd", "x", "1" * 50, "1-1/../2", "9-9"])
def test_a_name_that_is_no_request_is_passed_over(caller: Caller, name: str) -> None:
    caller.ring(name, f"continue-{name}", f"identity-{name}", f"other-{name}")
    assert caller.ask("1-1").startswith("200")
    assert caller.bodies == [b"body"]


def test_pipes_folders_and_links_in_the_place_of_files_hold_nobody_up(caller: Caller, tmp_path: Path) -> None:
    os.mkfifo(caller.folder / "continue-1-1")
    (caller.folder / "continue-1-2").mkdir()
    (tmp_path / "secret").write_text("secret")
    (caller.folder / "continue-1-3").symlink_to(tmp_path / "secret")
    (caller.folder / "continue-1-4").write_text("asks")
    os.mkfifo(caller.folder / "answer-1-4")
    caller.ring(*(f"continue-1-{number}" for number in range(1, 5)))
    assert caller.ask("2-1").startswith("200")
    assert caller.bodies == [b"asks", b"body"]


def test_a_caller_that_has_gone_holds_nobody_up(caller: Caller) -> None:
    (caller.folder / "continue-1-1").write_text("asks")
    caller.ring("continue-1-1")
    wait_until(lambda: caller.bodies == [b"asks"], seconds=10, what="it was answered")
    assert caller.ask("1-2").startswith("200")


def test_rings_that_come_in_pieces_are_put_together(caller: Caller) -> None:
    (caller.folder / "continue-12-34").write_text("asks")
    for piece in (b"conti", b"nue-12-", b"34", b"\n"):
        handle = os.open(caller.folder / BELL, os.O_WRONLY | os.O_NONBLOCK)
        os.write(handle, piece)
        os.close(handle)
    wait_until(lambda: caller.bodies == [b"asks"], seconds=10, what="it was answered")


def test_tasks_are_answered_apart(caller: Caller, tmp_path: Path) -> None:
    """One whose answer takes long holds up nobody but itself."""
    busy, free = threading.Event(), threading.Event()

    def think(_: bytes) -> Reply:
        busy.set()
        assert free.wait(20)
        return Reply(status=200, message="at last")

    (tmp_path / "slow").mkdir()
    slow = caller.desk.open(tmp_path / "slow", {Errand.IDENTITY: think})
    (tmp_path / "slow/identity-1").write_text("{}")
    handle = os.open(tmp_path / "slow" / BELL, os.O_WRONLY | os.O_NONBLOCK)
    os.write(handle, b"identity-1\n")
    assert busy.wait(20)
    assert caller.ask("1-1").startswith("200")
    free.set()
    wait_until((tmp_path / "slow/answer-1").exists, seconds=10, what="it was answered")
    os.close(handle)
    caller.desk.dismiss(slow)


def test_a_task_that_ends_waits_for_one_answer_and_not_for_all_it_rang_for(
    caller: Caller, tmp_path: Path
) -> None:
    busy, free, bodies = threading.Event(), threading.Event(), list[bytes]()

    def think(body: bytes) -> Reply:
        bodies.append(body)
        busy.set()
        assert free.wait(20)
        return Reply(status=200, message="at last")

    (tmp_path / "slow").mkdir()
    slow = caller.desk.open(tmp_path / "slow", {Errand.IDENTITY: think})
    (tmp_path / "slow/identity-1").write_text("{}")
    handle = os.open(tmp_path / "slow" / BELL, os.O_WRONLY | os.O_NONBLOCK)
    os.write(handle, b"identity-1\n" * 300)
    assert busy.wait(20)
    end = threading.Thread(target=caller.desk.dismiss, args=(slow,))
    end.start()
    wait_until(lambda: slow.closed, seconds=10, what="the task has ended")
    free.set()
    end.join(20)
    os.close(handle)
    assert bodies == [b"{}"]


def test_a_task_that_may_not_is_told_so(caller: Caller) -> None:
    os.mkfifo(caller.folder / "answered-1")
    waiting = os.open(caller.folder / "answered-1", os.O_RDWR)
    (caller.folder / "identity-1").write_text("{}")
    caller.ring("identity-1")
    os.read(waiting, 1)
    os.close(waiting)
    assert (caller.folder / "answer-1").read_text().startswith("403\n")


def test_tasks_come_and_go_while_others_ring(caller: Caller, tmp_path: Path) -> None:
    for number in range(50):
        folder = tmp_path / f"task-{number}"
        folder.mkdir()
        seat = caller.desk.open(folder, {})
        handle = os.open(folder / BELL, os.O_WRONLY | os.O_NONBLOCK)
        os.write(handle, b"identity-1\n" * 20)
        os.close(handle)
        caller.desk.dismiss(seat)
    assert caller.ask("1-1").startswith("200")
