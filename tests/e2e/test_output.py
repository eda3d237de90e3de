"""The output of a command may be closed, full, without a reader, or unable to carry its letters."""

import os
import subprocess
from pathlib import Path

import pytest

from penstock.cli.exit import Exit
from tests.support.command import Outcome, Project, command
from tests.support.processes import processes_with, wait_until
from tests.support.started import check_clean

CONFIG = """
version: 2.1
jobs:
  build:
    machine: true
    steps:
      - run: echo one
      - run: {name: wait, command: "sleep 0.5"}
      - run: {name: ümläut 🎉, command: "exit 3"}
"""
BROKEN = "version: 2.1\njobs: {build: {machine: true, stpes: []}}\n"


def call_in_shell(project: Project, redirection: str, *arguments: str, **environment: str) -> Outcome:
    """`penstock` with a redirection; the outcome has the status of the command itself."""
    script = f'exec 9>"$STATUS"; {{ "$@"; echo $? >&9; }} {redirection}'
    status = project.folder.parent / "status"
    done = subprocess.run(
        ["/bin/bash", "-c", script, "bash", *command(*arguments)],
        cwd=project.folder,
        env=project.environment(STATUS=str(status), **environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=60,
        check=False,
    )
    return Outcome(int(status.read_text()), done.stdout, done.stderr)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with one run that failed."""
    made = Project(tmp_path_factory.mktemp("output"), CONFIG)
    assert made.call("run").status == Exit.FAILED
    return made


READING = (("validate",), ("compile",), ("logs",), ("runs",), ("--help",), ("completion", "bash"))


@pytest.mark.parametrize("arguments", READING, ids=" ".join)
def test_closed_streams_disturb_nobody(project: Project, arguments: tuple[str, ...]) -> None:
    outcome = call_in_shell(project, "<&- >&- 2>&-", *arguments)
    assert outcome == Outcome(Exit.SUCCESS, "", "")


@pytest.mark.parametrize("arguments", READING, ids=" ".join)
def test_a_full_disk_below_the_output_is_an_error(project: Project, arguments: tuple[str, ...]) -> None:
    outcome = call_in_shell(project, ">/dev/full", *arguments)
    assert outcome.status == Exit.UNAVAILABLE
    assert outcome.err == "penstock: cannot write the output: No space left on device\n"
    outcome = call_in_shell(project, ">/dev/full 2>/dev/full", *arguments)
    assert outcome == Outcome(Exit.UNAVAILABLE, "", "")


def test_a_run_with_closed_streams_has_its_true_status(project: Project) -> None:
    assert call_in_shell(project, "<&- >&- 2>&-", "run") == Outcome(Exit.FAILED, "", "")


@pytest.mark.parametrize("arguments", [("run",), ("run", "--json"), ("run", "--verbose")], ids=" ".join)
def test_a_run_whose_reader_leaves_is_canceled_and_no_success(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    project = Project(tmp_path, CONFIG.replace("sleep 0.5", "sleep 600").replace("exit 3", "true"))
    outcome = call_in_shell(project, "| head -n 1", *arguments)
    assert outcome.status == Exit.NO_READER
    assert len(outcome.out.splitlines()) == 1
    assert outcome.err == ""
    assert "canceled" in project.call("runs").out
    assert check_clean(project) == 1


def test_a_run_whose_output_is_full_is_canceled_and_no_success(tmp_path: Path) -> None:
    project = Project(tmp_path, CONFIG.replace("sleep 0.5", "sleep 600"))
    outcome = call_in_shell(project, ">/dev/full", "run")
    assert outcome.status == Exit.UNAVAILABLE
    assert outcome.err == "penstock: cannot write the output: No space left on device\n"
    assert check_clean(project) == 1


def test_findings_nobody_reads_are_no_success(tmp_path: Path) -> None:
    many = "".join(f"  j{number}: {{machine: true, steps: [{{rum: x}}]}}\n" for number in range(2000))
    project = Project(tmp_path, f"version: 2.1\njobs:\n{many}")
    outcome = call_in_shell(project, "2>&1 | head -n 1", "validate")
    assert outcome.status in {Exit.NO_READER, Exit.USAGE}
    assert "Traceback" not in outcome.out + outcome.err


@pytest.mark.parametrize(
    "variables",
    [
        {"LC_ALL": "C", "LANG": "C", "TERM": "dumb"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1"},
    ],
    ids=["C", "ascii", "latin"],
)
def test_letters_the_output_cannot_carry_are_replaced(project: Project, variables: dict[str, str]) -> None:
    outcome = call_in_shell(project, "", "run", **variables)
    assert outcome.status == Exit.FAILED
    assert "ml" in outcome.out
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize("missing", [("HOME",), ("HOME", "XDG_DATA_HOME", "USER", "LANG", "TERM", "SHELL")])
def test_variables_that_are_missing_are_not_missed(tmp_path: Path, missing: tuple[str, ...]) -> None:
    project = Project(tmp_path, CONFIG.replace("exit 3", "true"))
    unset = " ".join(missing)
    done = subprocess.run(
        ["/bin/bash", "-c", f'unset {unset}; exec "$@"', "bash", *command("run")],
        cwd=project.folder,
        env=project.environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done


def test_a_run_that_nobody_reads_any_more_can_still_be_interrupted(tmp_path: Path) -> None:
    noisy = "for n in 1 2 3 4 5 6 7 8 9; do head -c 9000 /dev/zero | tr '\\0' x; echo; done; exit 1"
    job = f'{{machine: true, steps: [{{run: {{name: noise, command: "{noisy}"}}}}]}}'.replace("\\0", "\\\\0")
    config = f"version: 2.1\njobs: {{a: {job}}}\nworkflows: {{main: {{jobs: [a]}}}}\n"
    project = Project(tmp_path, config)
    reader, writer = os.pipe()
    process = subprocess.Popen(
        command("run"), cwd=project.folder, env=project.environment(), stdout=writer, stderr=subprocess.PIPE
    )
    os.close(writer)
    wait_until(lambda: blocks_on_writing(process.pid), seconds=30, what="the summary fills the pipe")
    process.terminate()
    _, err = process.communicate(timeout=20)
    os.close(reader)
    assert process.returncode == Exit.INTERRUPTED
    assert err == b""
    assert processes_with(str(tmp_path)) == []
    assert check_clean(project) == 1


def blocks_on_writing(pid: int) -> bool:
    """True while the process sleeps in a write to a pipe."""
    fields = Path(f"/proc/{pid}/syscall").read_text().split()
    return fields[0] == str(WRITE) and fields[1] == "0x1"


WRITE = 1 if os.uname().machine == "x86_64" else 64
