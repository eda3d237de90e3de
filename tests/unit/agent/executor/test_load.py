"""What processes use, told as it is, wherever they went."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.agent.executor.base import Place, Request
from penstock.agent.executor.host import HostExecutor
from penstock.agent.executor.load import (
    Grant,
    Load,
    ProcessMeter,
    choose_grant,
    list_children,
    measure_machine,
    measure_memory,
    read_stat,
)
from penstock.plan.executor import ExecutorKind
from tests.support.agents import Silent, assign
from tests.support.processes import wait_until
from tests.support.running import finish

BURN = "import time\nwhile time.process_time() < 0.4: pass"
HOLD = "import sys; held = b'x' * 50_000_000; print('held', flush=True); sys.stdin.read()"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    executor = HostExecutor(tmp_path)  # which adopts orphans
    made = executor.prepare(assign(), Silent())
    yield made
    made.end_processes()
    made.remove()
    executor.close()


def read(place: Place) -> Load:
    load = place.read_load()
    assert load is not None
    return load


def shell(place: Place, command: str) -> Request:
    return Request(argv=("/bin/sh", "-c", command), environment={}, directory=place.home)


def test_nothing_is_used_before_anything_runs(place: Place) -> None:
    assert read(place) == Load(0, 0)


def test_time_of_a_process_and_those_below_it_counts_once_they_have_ended(place: Place) -> None:
    finish(place.start(shell(place, f"{sys.executable} -c '{BURN}'; exit 0")))
    first = read(place)
    assert 0.4 <= first.cpu < 1.5
    assert first.memory == 0
    finish(place.start(shell(place, f"{sys.executable} -c '{BURN}' & wait")))
    assert read(place).cpu >= first.cpu + 0.4


def test_time_counts_while_a_process_runs(place: Place) -> None:
    running = place.start(shell(place, "while :; do :; done"))
    wait_until(lambda: read(place).cpu > 0.2, what="a busy process is seen")
    running.signal(9)
    finish(running)
    assert read(place).cpu > 0.2


def test_a_process_that_left_its_session_and_its_parent_is_found(place: Place) -> None:
    command = "setsid sh -c 'while :; do :; done' >/dev/null 2>&1 & exit 0"
    finish(place.start(shell(place, command)))
    before = read(place).cpu
    wait_until(lambda: read(place).cpu > before + 0.2, what="a daemon is seen")


def test_what_others_use_does_not_count(place: Place) -> None:
    other = subprocess.Popen([sys.executable, "-c", "while True: pass"], start_new_session=True)
    try:
        wait_until(lambda: sum(map(int, read_stat(other.pid)[11:13])) > 10, what="it is busy")
        assert read(place) == Load(0, 0)
    finally:
        other.kill()
        other.wait()


def test_memory_is_what_the_processes_hold(place: Place) -> None:
    script = f"cat /dev/zero | {sys.executable} -c '{HOLD.replace(chr(39), chr(34))}'"
    running = place.start(shell(place, script))
    wait_until(lambda: read(place).memory > 50_000_000, what="the memory is seen")
    assert read(place).memory < 250_000_000
    running.signal(9)
    finish(running)


def test_memory_is_told_also_where_the_kernel_tells_less() -> None:
    fields = read_stat(os.getpid())
    assert measure_memory(os.getpid(), fields) > 1_000_000
    assert measure_memory(2**31 - 1, fields) > 1_000_000  # as where it may not be looked at


def test_a_process_that_has_gone_has_no_children_and_no_facts() -> None:
    assert read_stat(2**31 - 1) == []
    with pytest.raises(FileNotFoundError):
        list(list_children(2**31 - 1))


def test_without_proc_nothing_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("penstock.agent.executor.load._PROC", tmp_path)
    assert ProcessMeter("X=1", []).read() is None


@pytest.mark.parametrize(
    ("resource_class", "kind", "grant"),
    [
        ("", ExecutorKind.HOST, Grant(8, 16 << 30)),
        ("acme/large", ExecutorKind.MACHINE, Grant(8, 16 << 30)),
        ("small", ExecutorKind.DOCKER, Grant(1, 2 << 30)),
        ("medium", ExecutorKind.MACHINE, Grant(2, 15 << 29)),
        ("2xlarge", ExecutorKind.DOCKER, Grant(8, 16 << 30)),  # as much as the machine has
    ],
)
def test_all_there_is_is_what_the_class_grants(resource_class: str, kind: ExecutorKind, grant: Grant) -> None:
    assert choose_grant(resource_class, kind, Grant(8, 16 << 30)) == grant


def test_the_machine_has_something() -> None:
    machine = measure_machine()
    assert machine.processors >= 1
    assert machine.memory > 1 << 28
