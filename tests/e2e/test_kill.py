"""`kill -9` of `penstock run` at any moment: nothing lives on, nothing false is stored, the next works."""

import random
import signal
import threading
from pathlib import Path
from textwrap import dedent

import pytest

from tests.support.command import Project
from tests.support.processes import processes_with, wait_until
from tests.support.started import check_clean, started

SEED = 20_261_121
LONGEST = 1.6  # seconds; the run takes about as long
EACH = 5

CONFIG = dedent("""
    version: 2.1
    jobs:
      make:
        machine: true
        parallelism: 2
        steps:
          - checkout
          - restore_cache: {keys: [none]}
          - run:
              name: daemons
              command: |
                setsid sleep 600 & (sleep 600 &)
                mkdir -p out
                head -c 300000 /dev/urandom > out/$CIRCLE_NODE_INDEX
          - run: {name: serve, command: exec sleep 600, background: true}
          - run: {command: "sleep 0.2; head -c 300000 /dev/urandom | base64"}
          - store_artifacts: {path: out}
          - persist_to_workspace: {root: ., paths: [out]}
          - save_cache: {key: "k-{{ epoch }}", paths: [out]}
      use:
        machine: true
        steps:
          - attach_workspace: {at: in}
          - run: {command: "trap '' TERM INT; sleep 0.3"}
    workflows:
      main:
        jobs: [make, use: {requires: [make]}]
      other:
        jobs: [use: {name: fails}, make: {name: late, requires: [fails]}]
    """)
SHORT = "version: 2.1\njobs: {build: {machine: true, steps: [{run: 'true'}]}}\n"


def kill_after(project: Project, mark: Path, delay: float) -> None:
    """Start a run, kill it so many seconds later, and look at what is left."""
    with started(project, mark=mark) as run:
        threading.Event().wait(delay)  # the moment is the point; there is no condition to wait for
        run.signal(signal.SIGKILL)
        _, printed = run.end()
    assert "Traceback" not in printed
    check_clean(project)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(5))
def test_a_run_killed_at_any_moment_leaves_nothing(tmp_path: Path, part: int) -> None:
    project = Project(tmp_path, CONFIG)
    chance = random.Random(SEED + part)  # noqa: S311 - moments, not secrets
    for number in range(EACH):
        kill_after(project, tmp_path / f"mark{number}", chance.uniform(0, LONGEST))
    (tmp_path / "short.yml").write_text(SHORT)
    assert project.call("run", "--config", str(tmp_path / "short.yml")).status == 0


def test_two_killed_runs_of_one_checkout_are_both_ended(tmp_path: Path) -> None:
    project = Project(tmp_path, CONFIG.replace("sleep 0.2;", "touch $MARK/begun; sleep 600;"))
    with started(project, mark=tmp_path / "one") as one, started(project, mark=tmp_path / "two") as two:
        one.reach("begun")
        two.reach("begun")
        one.signal(signal.SIGKILL)
        one.end()
        wait_until(lambda: processes_with(str(one.mark)) == [], seconds=5, what="the first one's jobs ended")
        assert project.call("runs").out.count("running") == 1
        assert processes_with(str(two.mark)) != []
        two.signal(signal.SIGKILL)
        two.end()
    assert check_clean(project) == 2


def test_a_suspended_command_goes_on_when_it_is_woken(tmp_path: Path) -> None:
    config = SHORT.replace("'true'", "'touch $MARK/begun; sleep 1; echo on'")
    project = Project(tmp_path, config)
    with started(project, "--verbose", mark=tmp_path / "mark") as run:
        run.reach("begun")
        run.signal(signal.SIGSTOP)
        threading.Event().wait(2.5)  # the step ends meanwhile, timers and leases pass
        run.signal(signal.SIGCONT)
        status, printed = run.end()
    assert status == 0, printed
    assert "build | on" in printed
    check_clean(project)
