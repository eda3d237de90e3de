"""`penstock run` interrupted, killed, starved: nothing stays behind and nothing false is stored."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

import pytest

from tests.support.command import Project, command
from tests.support.processes import processes_with, wait_until

LONG = dedent("""
    version: 2.1
    jobs:
      build:
        machine: true
        steps:
          - run: {name: begin, command: "touch $MARK/begun; exec sleep 600"}
          - run: {name: never, command: "touch $MARK/never"}
          - run: {name: tidy, command: "touch $MARK/tidied; sleep ${TIDY:-0}", when: always}
      after:
        machine: true
        steps: [run: "true"]
    workflows:
      main:
        jobs: [build, after: {requires: [build]}]
    """)


class Started:
    """A `penstock run` in the background whose jobs leave marks in a folder."""

    def __init__(self, project: Project, mark: Path, process: subprocess.Popen[str]) -> None:
        self.project = project
        self.mark = mark
        self.process = process

    def ended(self, *, seconds: float = 20) -> tuple[int, str]:
        """The exit status and what was printed, once it has ended."""
        out, err = self.process.communicate(timeout=seconds)
        return self.process.returncode, out + err


@contextmanager
def start(tmp_path: Path, config: str, **variables: str) -> Iterator[Started]:
    # A test run in the background ignores SIGINT, and a child would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    project = Project(tmp_path, config)
    mark = tmp_path / "mark"
    mark.mkdir()
    given = {"MARK": str(mark), **variables}
    (tmp_path / "env").write_text("".join(f"{name}={value}\n" for name, value in given.items()))
    process = subprocess.Popen(
        command("run", "--env-file", str(tmp_path / "env")),
        cwd=project.folder,
        env=project.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    started = Started(project, mark, process)
    try:
        wait_until((mark / "begun").exists, seconds=30, what="the first step began")
        yield started
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def test_an_interrupt_cancels_the_jobs_and_lets_steps_that_always_run_do_so(tmp_path: Path) -> None:
    with start(tmp_path, LONG) as run:
        run.process.send_signal(signal.SIGINT)
        status, printed = run.ended()
    assert status == 130
    assert (run.mark / "tidied").exists()
    assert not (run.mark / "never").exists()
    assert "build: canceled" in printed
    assert "Traceback" not in printed
    assert processes_with(str(run.mark)) == []


def test_a_second_interrupt_ends_everything_at_once(tmp_path: Path) -> None:
    with start(tmp_path, LONG, TIDY="600") as run:
        run.process.send_signal(signal.SIGINT)
        wait_until((run.mark / "tidied").exists, what="the clean-up began")
        run.process.send_signal(signal.SIGINT)
        status, _ = run.ended()
    assert status == 130
    assert processes_with(str(run.mark)) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_other_requests_to_end_are_as_good_as_an_interrupt(tmp_path: Path, number: signal.Signals) -> None:
    with start(tmp_path, LONG) as run:
        run.process.send_signal(number)
        status, _ = run.ended()
    assert status == 130
    assert (run.mark / "tidied").exists()


def test_a_killed_command_leaves_no_process_and_the_next_one_tells_the_truth(tmp_path: Path) -> None:
    with start(tmp_path, LONG) as run:
        os.kill(run.process.pid, signal.SIGKILL)
        run.ended()
        wait_until(lambda: processes_with(str(run.mark)) == [], seconds=5, what="no orphan runs")
    listed = run.project.call("runs")
    assert listed.status == 0
    assert "canceled" in listed.out
    (pipeline,) = [line for line in listed.out.splitlines() if "jobs" in line]
    assert "2 jobs" in pipeline
    assert not (run.mark / "never").exists()
    short = tmp_path / "short.yml"
    short.write_text("version: 2.1\njobs: {build: {machine: true, steps: [{run: 'true'}]}}\n")
    assert run.project.call("run", "--config", str(short)).status == 0
    assert list((run.project.home / "runs").iterdir()) == []


def test_a_killed_command_takes_daemons_of_its_jobs_with_it(tmp_path: Path) -> None:
    config = LONG.replace("exec sleep 600", "setsid sleep 601 & disown; exec sleep 600")
    with start(tmp_path, config) as run:
        os.kill(run.process.pid, signal.SIGKILL)
        run.ended()
        wait_until(lambda: processes_with(str(run.mark)) == [], seconds=5, what="no daemon runs")


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
def test_a_full_disk_is_a_clear_error_and_never_a_success(tmp_path: Path) -> None:
    config = dedent("""
        version: 2.1
        jobs:
          build:
            machine: true
            steps:
              - run: head -c 60000000 /dev/urandom | base64
        """)
    project = Project(tmp_path, config)
    project.home.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(project.home)], check=True)
    try:
        outcome = project.call("run")
        assert outcome.status == 3, outcome
        assert "is full" in outcome.err
        assert "PENSTOCK_HOME" in outcome.err
        assert "Traceback" not in outcome.err
    finally:
        subprocess.run(["umount", "-l", str(project.home)], check=True)
