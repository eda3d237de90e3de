"""The end of a task outlives its agent until the server has heard of it."""

from pathlib import Path

import pytest

from penstock.agent.last_words import LastWords
from penstock.agent.outbox import Outbox
from penstock.model.errors import InvalidError, PenstockError, UnavailableError
from penstock.model.status import TaskStatus
from penstock.wire.messages import Commands, Sync, TaskFinished, TaskStarted
from tests.support.clocks import HandClock
from tests.support.transport import FakeServer

START = TaskStarted(task="../a", sequence=1, at=1)
END = TaskFinished(task="../a", sequence=2, at=2, status=TaskStatus.SUCCESS)
OTHER = TaskStarted(task="b", sequence=1, at=1)


class Ear(FakeServer):
    """A server that hears, or has a reason not to."""

    def __init__(self, error: PenstockError | None = None) -> None:
        super().__init__()
        self.heard: list[Sync] = []
        self.error = error

    def sync(self, message: Sync) -> Commands:
        if self.error is not None:
            raise self.error
        self.heard.append(message)
        return Commands()


def fill(folder: Path) -> Outbox:
    """An outbox with an event of a task that runs, and all of one that has ended."""
    outbox = Outbox(HandClock())
    outbox.last_words = LastWords(folder)
    for event in (START, OTHER, END):
        outbox.put(event)
    return outbox


def test_what_an_agent_that_died_had_to_say_of_an_ended_task_is_said_once(tmp_path: Path) -> None:
    fill(tmp_path / "ends")
    ear = Ear()
    for _ in range(2):
        LastWords(tmp_path / "ends").deliver(ear, "me")
    assert ear.heard == [Sync(agent="me", events=(START, END))]
    assert [path.name for path in tmp_path.iterdir()] == ["ends"]


@pytest.mark.parametrize("way", ["heard", "lost"])
def test_nothing_is_kept_of_what_the_server_knows(tmp_path: Path, way: str) -> None:
    outbox = fill(tmp_path / "ends")
    if way == "heard":
        outbox.acknowledge((START, OTHER, END))
    else:
        outbox.drop(END.task)
    assert list((tmp_path / "ends").iterdir()) == []


def test_it_is_kept_until_the_server_is_there_and_not_for_one_that_refuses(tmp_path: Path) -> None:
    fill(tmp_path / "ends")
    with pytest.raises(UnavailableError):
        LastWords(tmp_path / "ends").deliver(Ear(UnavailableError("away")), "me")
    assert len(list((tmp_path / "ends").iterdir())) == 1
    LastWords(tmp_path / "ends").deliver(Ear(InvalidError("no")), "me")
    assert list((tmp_path / "ends").iterdir()) == []


def test_what_is_broken_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"nonsense")
    (tmp_path / "two.new").write_bytes(b"")
    ear = Ear()
    LastWords(tmp_path).deliver(ear, "me")
    assert (ear.heard, list(tmp_path.iterdir())) == ([], [])


def test_an_agent_goes_on_when_nothing_can_be_kept(tmp_path: Path) -> None:
    (tmp_path / "ends").touch()
    assert fill(tmp_path / "ends").take() == (START, OTHER, END)
