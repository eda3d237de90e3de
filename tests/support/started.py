"""A `penstock` command in the background, to be interrupted, killed, suspended."""

import os
import signal
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from penstock.model.status import JobStatus, TaskStatus, WorkflowStatus
from tests.support.command import Project, command
from tests.support.processes import heeds, processes_with, wait_until

ORPHANS = 5.0
"""Seconds after which nothing of a killed run may live."""


class Started:
    """A running command in a session of its own whose jobs know the folder `mark` as $MARK."""

    def __init__(self, project: Project, process: "subprocess.Popen[str]", mark: Path) -> None:
        self.project = project
        self.process = process
        self.mark = mark

    def reach(self, name: str) -> None:
        """Return once a job has made the file in the mark folder."""
        wait_until((self.mark / name).exists, seconds=30, what=f"{name} was reached")

    def listen(self) -> None:
        """Return once the command answers requests to end; before that a signal ends it like any program."""
        wait_until(
            lambda: heeds(self.process.pid, signal.SIGTERM) or self.process.poll() is not None,
            seconds=30,
            what="the command listens",
        )

    def signal(self, number: int) -> None:
        """Send a signal to the command alone."""
        with suppress(ProcessLookupError):
            os.kill(self.process.pid, number)

    def end(self, *, seconds: float = 30) -> tuple[int, str]:
        """The exit status and all that was printed, once it has ended."""
        out, err = self.process.communicate(timeout=seconds)
        return self.process.returncode, out + err


@contextmanager
def started(
    project: Project, *arguments: str, mark: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Started]:
    """`penstock run` with the arguments; whatever happens, it is over afterwards."""
    mark.mkdir(exist_ok=True)
    variables = mark.with_suffix(".env")
    variables.write_text(f"MARK={mark}\n")
    process = subprocess.Popen(
        command("run", "--env-file", str(variables), *arguments),
        cwd=project.folder,
        env=project.environment(**(environment or {})),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        yield Started(project, process, mark)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def check_clean(project: Project) -> int:
    """Nothing of the project's killed runs lives, stands open or lies about; returns how many were stored."""
    top = str(project.folder.parent)
    wait_until(lambda: processes_with(top) == [], seconds=ORPHANS, what="no process of the run lives")
    listed = project.call("runs", "--json", "--limit", "1000")
    assert listed.status == 0, listed
    outcomes = [event["outcome"] for event in listed.events()]
    assert list((project.home / "runs").iterdir()) == []
    with closing(sqlite3.connect(project.home / "penstock.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        (stored,) = connection.execute("SELECT count(*) FROM pipelines").fetchone()
        assert len(outcomes) == stored
        for table, kind in (("workflows", WorkflowStatus), ("jobs", JobStatus), ("tasks", TaskStatus)):
            found = {kind(status) for (status,) in connection.execute(f"SELECT DISTINCT status FROM {table}")}  # noqa: S608 - our own names
            assert all(status.is_terminal for status in found), (table, found)
    assert all(WorkflowStatus(str(outcome)).is_terminal for outcome in outcomes), outcomes
    return int(stored)
