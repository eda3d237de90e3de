"""`penstock run` in a terminal: what a person sees."""

import os
import re
import select
from contextlib import suppress
from pathlib import Path

import pexpect
import pyte

from tests.support.command import Project, command
from tests.support.processes import wait_until

CONFIG = """
version: 2.1
jobs:
  slow:
    machine: true
    steps:
      - run: {name: hold on, command: "touch $MARK/begun; until [ -e $MARK/go ]; do sleep 0.05; done"}
  broken:
    machine: true
    steps:
      - run: {name: break, command: "echo the reason why; exit 4"}
workflows:
  main:
    jobs: [slow, broken: {requires: [slow]}]
"""


class Terminal:
    """A terminal of 100 by 30 in which a command runs."""

    def __init__(self, project: Project, *arguments: str, **variables: str) -> None:
        self.screen = pyte.HistoryScreen(100, 30, history=1000)
        self._stream = pyte.ByteStream(self.screen)
        name, *rest = command(*arguments)
        environment = project.environment(TERM="xterm-256color", LANG="C.UTF-8", **variables)
        self.child = pexpect.spawn(
            name, rest, cwd=str(project.folder), env=environment, dimensions=(30, 100), timeout=30
        )

    def read(self) -> str:
        """What is on the screen now, after taking in what the command has written."""
        if not self.child.closed and select.select([self.child.child_fd], [], [], 0)[0]:
            with suppress(OSError):  # how a pseudo-terminal says that the other side has closed
                self._stream.feed(os.read(self.child.child_fd, 65536))
        return "\n".join(line.rstrip() for line in self.screen.display)

    def close(self) -> int:
        """Wait for the end; returns the exit status."""
        wait_until(lambda: (self.read(), not self.child.isalive())[1], seconds=30, what="the command ended")
        self.read()
        self.child.close()
        return int(self.child.exitstatus or 0)


def test_running_jobs_show_their_step_and_time_and_the_end_shows_the_failure(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    mark.mkdir()
    (tmp_path / "env").write_text(f"MARK={mark}\n")
    project = Project(tmp_path, CONFIG)
    terminal = Terminal(project, "run", "--env-file", str(tmp_path / "env"))
    wait_until((mark / "begun").exists, seconds=30, what="the step began")
    wait_until(lambda: bool(re.search(r"slow +\d\.\ds +hold on", terminal.read())), what="job, time and step")
    wait_until(lambda: "1 waiting" in terminal.read(), what="how many jobs wait")
    (mark / "go").touch()
    status = terminal.close()
    screen = terminal.read()
    assert status == 1
    assert "✓ slow" in screen
    assert "✗ broken failed" in screen
    assert "the reason why" in screen
    assert "hold on" not in screen


def test_ctrl_c_in_a_terminal_ends_with_a_summary(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    mark.mkdir()
    (tmp_path / "env").write_text(f"MARK={mark}\n")
    terminal = Terminal(Project(tmp_path, CONFIG), "run", "--env-file", str(tmp_path / "env"))
    wait_until((mark / "begun").exists, seconds=30, what="the step began")
    terminal.child.sendintr()
    assert terminal.close() == 130
    assert "interrupted" in terminal.read()


def test_a_ci_variable_turns_the_live_view_off(tmp_path: Path) -> None:
    config = "version: 2.1\njobs: {build: {machine: true, steps: [{run: 'true'}]}}\n"
    terminal = Terminal(Project(tmp_path, config), "run", CI="true")
    assert terminal.close() == 0
    assert "build: started" in terminal.read()
