import os
from pathlib import Path

import pytest

from penstock.agent.executor.base import LostPlaceError, Request
from penstock.agent.executor.docker.control import ControlFolder
from penstock.agent.executor.docker.process import ContainerProcess, make_pipes
from penstock.model.errors import RefusedError

REQUEST = Request(argv=("/bin/x",), environment={}, directory="/there")


class Container:
    """The script's side of a process: what it writes, and what the engine would say."""

    def __init__(self, folder: Path) -> None:
        control = ControlFolder(folder / "control")
        pipes = make_pipes(control, 0)
        self.life = os.open(control.path / "life-0", os.O_WRONLY)
        self.lost = ""
        self.process = ContainerProcess(pipes, lambda *_: True, self.is_alive)

    def is_alive(self) -> bool:
        if self.lost:
            raise LostPlaceError(self.lost)
        return False

    def say(self, line: str) -> None:
        os.write(self.life, f"{line}\n".encode())


@pytest.fixture
def container(tmp_path: Path) -> Container:
    return Container(tmp_path)


def test_a_process_has_the_exit_code_the_script_tells(container: Container) -> None:
    container.say("started 12")
    container.process.await_start(REQUEST)
    assert container.process.poll() is None
    container.say("ended 3")
    assert container.process.poll() == 3


@pytest.mark.parametrize(
    ("line", "sentence"), [("directory", "directory /there does not exist"), ("program", "cannot run /bin/x")]
)
def test_why_a_process_did_not_start_is_said(container: Container, line: str, sentence: str) -> None:
    container.say(line)
    with pytest.raises(RefusedError, match=sentence):
        container.process.await_start(REQUEST)


@pytest.mark.parametrize("line", ["", "ended", "ended x", "ended 1 2", "nonsense", "x" * 3000])
def test_what_the_job_writes_in_the_scripts_place_counts_as_a_kill(container: Container, line: str) -> None:
    container.say("started 12")
    container.process.await_start(REQUEST)
    container.say(line)
    os.close(container.life)
    assert container.process.poll() == 137


def test_who_waits_is_woken_when_the_place_is_lost(container: Container) -> None:
    container.say("started 12")
    container.process.await_start(REQUEST)
    container.lost = "the engine went away"
    container.process.wake()
    with pytest.raises(LostPlaceError, match="the engine went away"):
        container.process.poll()


def test_waking_a_closed_process_does_nothing(container: Container) -> None:
    container.process.close()
    container.process.wake()
    assert container.process.ended is None
