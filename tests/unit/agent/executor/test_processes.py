"""Processes of a task whose parts end one by one."""

import ctypes
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from penstock.agent.executor.base import Request
from penstock.agent.executor.processes import ChildProcess, Family, become_subreaper
from penstock.forge.process import Bounds, Done, run_process
from tests.support.processes import wait_until

SET_CHILD_SUBREAPER = 36  # linux/prctl.h


@pytest.fixture
def family() -> Iterator[Family]:
    if not become_subreaper():
        pytest.skip("this system cannot hand orphans to the agent")
    family = Family(adopts=True)
    family.begin_task()
    yield family
    family.end_task("PENSTOCK_NOBODY=", [])
    ctypes.CDLL(None).prctl(SET_CHILD_SUBREAPER, 0, 0, 0, 0)  # orphans of other tests are none of ours


def start(family: Family, tmp_path: Path, script: str) -> ChildProcess:
    argv = ("/bin/sh", "-c", script)
    return family.start(Request(argv=argv, environment={"PATH": "/usr/bin:/bin"}, directory=str(tmp_path)))


def test_a_group_is_empty_as_soon_as_the_last_orphan_in_it_has_ended(family: Family, tmp_path: Path) -> None:
    running = start(family, tmp_path, "sleep 600 & echo $! > pid; wait; exit 0")
    wait_until((tmp_path / "pid").exists, what="the child began")
    assert running.signal(signal.SIGTERM)
    wait_until(lambda: running.poll() is not None, what="the shell ended")
    wait_until(lambda: not running.signal(0), seconds=2, what="the group is empty")
    running.close()


def test_a_group_is_not_empty_while_an_orphan_in_it_runs(family: Family, tmp_path: Path) -> None:
    running = start(family, tmp_path, "sleep 600 & exit 3")
    wait_until(lambda: running.poll() == 3, what="the shell ended")
    assert running.signal(0)
    assert running.signal(signal.SIGKILL)
    wait_until(lambda: not running.signal(0), seconds=2, what="the group is empty")
    running.close()


def test_programs_that_others_here_wait_for_are_left_alone(family: Family, tmp_path: Path) -> None:
    command = ["/bin/sh", "-c", f"touch {tmp_path}/on; sleep 0.3; echo out; exit 7"]
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(
            run_process, command, cwd=tmp_path, environment={"PATH": "/usr/bin:/bin"}, bounds=Bounds()
        )
        wait_until((tmp_path / "on").exists, what="it runs")
        while not waiting.done():
            family.end_task("PENSTOCK_NOBODY=", [])
            family.begin_task()
        assert waiting.result() == Done(7, b"out\n", b"")
