"""`penstock run` interrupted or killed: nothing stays behind and nothing false is stored."""

import random
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

import pytest

from tests.support.command import Project
from tests.support.processes import processes_with, wait_until
from tests.support.started import Started, check_clean, started

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


@contextmanager
def start(tmp_path: Path, config: str, **variables: str) -> Iterator[Started]:
    """A run whose first step has begun."""
    given = "".join(f"{name}={value}\n" for name, value in variables.items())
    (tmp_path / "more.env").write_text(given)
    project = Project(tmp_path, config)
    with started(project, "--env-file", str(tmp_path / "more.env"), mark=tmp_path / "mark") as run:
        run.reach("begun")
        yield run


def test_an_interrupt_cancels_the_jobs_and_lets_steps_that_always_run_do_so(tmp_path: Path) -> None:
    with start(tmp_path, LONG) as run:
        run.signal(signal.SIGINT)
        status, printed = run.end()
    assert status == 130
    assert (run.mark / "tidied").exists()
    assert not (run.mark / "never").exists()
    assert "build: canceled" in printed
    assert "Traceback" not in printed
    assert processes_with(str(run.mark)) == []


def test_a_second_interrupt_ends_everything_at_once(tmp_path: Path) -> None:
    with start(tmp_path, LONG, TIDY="600") as run:
        run.signal(signal.SIGINT)
        wait_until((run.mark / "tidied").exists, what="the clean-up began")
        run.signal(signal.SIGINT)
        status, _ = run.end()
    assert status == 130
    assert processes_with(str(run.mark)) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_other_requests_to_end_are_as_good_as_an_interrupt(tmp_path: Path, number: signal.Signals) -> None:
    with start(tmp_path, LONG) as run:
        run.signal(number)
        status, _ = run.end()
    assert status == 130
    assert (run.mark / "tidied").exists()


def test_a_killed_command_leaves_no_process_and_the_next_one_tells_the_truth(tmp_path: Path) -> None:
    with start(tmp_path, LONG) as run:
        run.signal(signal.SIGKILL)
        run.end()
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
        run.signal(signal.SIGKILL)
        run.end()
        wait_until(lambda: processes_with(str(run.mark)) == [], seconds=5, what="no daemon runs")


MANY = "version: 2.1\njobs:\n" + "".join(
    f"  j{number}: {{machine: true, steps: [checkout, {{run: 'sleep 0.2 & wait'}}]}}\n"
    for number in range(30)
)
MANY += "workflows: {main: {jobs: [" + ", ".join(f"j{number}" for number in range(30)) + "]}}\n"


@pytest.mark.slow
@pytest.mark.parametrize("part", range(2))
def test_an_interrupt_while_jobs_are_being_started_leaves_nothing(tmp_path: Path, part: int) -> None:
    project = Project(tmp_path, MANY)
    chance = random.Random(part)  # noqa: S311 - moments, not secrets
    for number in range(5):
        with started(project, "--max-parallel", "8", mark=tmp_path / f"mark{number}") as run:
            run.listen()
            threading.Event().wait(chance.uniform(0, 0.7))  # any moment will do
            run.signal(signal.SIGINT)
            status, printed = run.end()
        assert status == 130, printed
        assert "Traceback" not in printed
        check_clean(project)


def test_an_interrupt_while_artifacts_are_uploaded_ends_soon(tmp_path: Path) -> None:
    config = dedent("""
        version: 2.1
        jobs:
          build:
            machine: true
            steps:
              - run: head -c 400000000 /dev/urandom > big; touch $MARK/begun
              - store_artifacts: {path: big}
        """)
    with start(tmp_path, config) as run:
        blobs = run.project.home / "blobs"
        wait_until(
            lambda: any(path.stat().st_size > 1_000_000 for path in blobs.rglob("*") if path.is_file()),
            what="the upload began",
        )
        run.signal(signal.SIGINT)
        status, printed = run.end(seconds=10)
    assert status == 130, printed
    assert "build: success" not in printed
    check_clean(run.project)


@pytest.mark.parametrize("pause", [0.02, 0.1, 0.4])
def test_interrupts_in_a_row_end_it_like_one(tmp_path: Path, pause: float) -> None:
    with start(tmp_path, LONG, TIDY="600") as run:
        for _ in range(3):
            run.signal(signal.SIGINT)
            threading.Event().wait(pause)  # as fast as people press keys
        status, printed = run.end(seconds=15)
    assert status == 130, printed
    assert "Traceback" not in printed
    assert "KeyboardInterrupt" not in printed
    assert check_clean(run.project) == 1


def test_a_step_that_ignores_the_interrupt_is_ended_all_the_same(tmp_path: Path) -> None:
    config = LONG.replace("exec sleep 600", "trap '' TERM INT HUP; while :; do sleep 600; done")
    with start(tmp_path, config) as run:
        run.signal(signal.SIGINT)
        status, _ = run.end(seconds=20)
    assert status == 130
    assert (run.mark / "tidied").exists()
    assert check_clean(run.project) == 1


def test_a_canceled_shell_with_children_takes_no_grace_it_does_not_need(tmp_path: Path) -> None:
    config = LONG.replace("exec sleep 600", "sleep 600; sleep 600")
    with start(tmp_path, config) as run:
        run.signal(signal.SIGINT)
        status, _ = run.end(seconds=4)
    assert status == 130


def test_interrupts_before_and_while_a_command_starts_leave_no_traceback(tmp_path: Path) -> None:
    project = Project(tmp_path, MANY)
    for number in range(8):
        with started(project, mark=tmp_path / f"mark{number}") as run:
            wait_until(lambda run=run: is_python_up(run), what="the interpreter runs our code")  # type: ignore[misc]  # mypy knows no defaults of lambdas
            threading.Event().wait(number * 0.03)
            run.signal(signal.SIGINT)
            status, printed = run.end()
        assert status == 130, printed
        assert "Traceback" not in printed


def is_python_up(run: Started) -> bool:
    """True once the command has begun to import what it is made of."""
    return "msgspec" in Path(f"/proc/{run.process.pid}/maps").read_text()
