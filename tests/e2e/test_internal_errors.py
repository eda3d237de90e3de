"""A fault of Penstock itself: one sentence, a file with the traceback, status 70, nothing left running."""

import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from penstock.cli.exit import Exit
from tests.support.command import Outcome, Project
from tests.support.processes import processes_with

CONFIG = "version: 2.1\njobs: {build: {machine: true, steps: [{run: sleep 600}]}}\n"

FAULTS = {
    "before the run": "penstock.bootstrap.local.take_snapshot = fail",
    "in the compiler": "penstock.bootstrap.config.compile_circleci = fail",
    "in the agent's thread": "penstock.agent.loop.Agent._listen = fail",
    "in the thread that delivers": "penstock.agent.loop.Agent._deliver = fail",
    "in the engine": "penstock.engine.gateway.Gateway.take_turn = fail",
    "in the view": "penstock.cli.view.plain.PlainView._show_job = fail",
    "in the summary": "penstock.cli.local.show_summary = fail",
    "in the recovery": "penstock.bootstrap.local.recover_pipelines = fail",
    "too deep": "penstock.bootstrap.local.take_snapshot = lambda *a: sink(0)",
    "without memory": "penstock.bootstrap.local.take_snapshot = exhaust",
}


def call_broken(project: Project, breaking: str, *arguments: str, **environment: str) -> Outcome:
    """`penstock` in which something is replaced by what raises."""
    script = dedent(f"""
        import os, sys
        import penstock.cli.local, penstock.cli.view.plain, penstock.agent.loop
        from penstock.cli.main import main

        def fail(*args, **more):
            raise ZeroDivisionError("the secret is out")

        def sink(depth):
            return sink(depth + 1)

        def exhaust(*args):
            raise MemoryError

        {breaking}
        main(sys.argv[1:])
        """)
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=project.folder,
        env=project.environment(**environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("name", FAULTS)
def test_an_internal_error_is_one_sentence_and_a_file(tmp_path: Path, name: str) -> None:
    project = Project(tmp_path, CONFIG.replace("sleep 600", "echo hello"))
    outcome = call_broken(project, FAULTS[name], "run")
    assert outcome.status == Exit.INTERNAL, outcome
    (sentence,) = outcome.err.splitlines()
    assert sentence.startswith("penstock: internal error")
    assert "the secret is out" not in sentence
    path = Path(sentence.rpartition(" ")[2])
    assert path.parent == project.home / "errors"
    assert path.stat().st_mode & 0o077 == 0
    assert "Traceback" in path.read_text()
    assert processes_with(str(tmp_path)) == []
    assert list((project.home / "runs").glob("*")) == []
    assert project.call("run").status == Exit.SUCCESS


def test_a_running_job_does_not_outlive_an_internal_error(tmp_path: Path) -> None:
    project = Project(tmp_path, CONFIG)
    breaking = "penstock.cli.view.plain.PlainView._show_job = fail"
    assert call_broken(project, breaking, "run").status == Exit.INTERNAL
    assert processes_with(str(tmp_path)) == []
    assert "canceled" in project.call("runs").out


def test_without_a_data_folder_the_traceback_is_in_the_temporary_one(tmp_path: Path) -> None:
    project = Project(tmp_path, CONFIG)
    (tmp_path / "temporary").mkdir()
    project.home.write_text("no folder")
    breaking = "penstock.cli.run.compile_config = fail"
    outcome = call_broken(
        project, f"import penstock.cli.run; {breaking}", "run", TMPDIR=str(tmp_path / "temporary")
    )
    assert outcome.status == Exit.INTERNAL, outcome
    (file,) = (tmp_path / "temporary").iterdir()
    assert str(file) in outcome.err
    assert "ZeroDivisionError" in file.read_text()


def test_an_internal_error_that_nobody_can_be_told_of_has_its_status(tmp_path: Path) -> None:
    project = Project(tmp_path, CONFIG)
    breaking = "os.dup2(os.open('/dev/full', os.O_WRONLY), 2); penstock.bootstrap.local.take_snapshot = fail"
    assert call_broken(project, breaking, "run") == Outcome(Exit.INTERNAL, "", "")
