"""What a task used, as its agent tells it with the task's end."""

import threading
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import msgspec
import pytest

from penstock.agent.executor.load import Grant, Load, measure_machine
from penstock.agent.sampling import MOST_KEPT, Sampler, Samples
from penstock.model.errors import UnavailableError
from penstock.model.status import TaskStatus
from penstock.model.usage import Used
from penstock.wire.messages import TaskFinished
from tests.support.agents import QUICK, Bench, host_bench
from tests.support.processes import wait_until

BURN = (
    "import time\n"
    "end = time.monotonic() + 1.5\n"
    "while time.monotonic() < end: pass\n"
    "print(time.process_time() / 1.5)\n"
)


class Scripted:
    """A place whose load is what a test says; `seen` is set by each look."""

    def __init__(self, *loads: Load | Exception | None) -> None:
        self.grant = Grant(2, 1000)
        self.seen = threading.Semaphore(0)
        self._loads = list(loads)

    def read_load(self) -> Load | None:
        load = self._loads.pop(0) if len(self._loads) > 1 else self._loads[0]
        self.seen.release()
        if isinstance(load, Exception):
            raise load
        return load


@pytest.fixture
def sampler() -> Iterator[Sampler]:
    made = Sampler(0.01)
    yield made
    made.close()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with host_bench(tmp_path, tuning=msgspec.structs.replace(QUICK, sample=0.2)) as made:
        yield made


def test_the_middle_and_the_most_are_kept_in_bounded_memory() -> None:
    samples = Samples()
    for number in range(10 * MOST_KEPT):
        samples.add(number / (10 * MOST_KEPT))
    assert samples.most == 10_000
    assert abs(samples.find_median() - 5_000) < 50
    assert len(samples._kept) <= MOST_KEPT


@pytest.mark.parametrize(("shares", "median"), [([0.5], 5000), ([0.1, 0.9], 1000), ([0.3, 0.1, 0.2], 2000)])
def test_the_middle_is_one_that_was_seen(shares: list[float], median: int) -> None:
    samples = Samples()
    for share in shares:
        samples.add(share)
    assert (samples.find_median(), samples.most) == (median, round(max(shares) * 10_000))


def test_shares_that_cannot_be_are_bounded() -> None:
    samples = Samples()
    for share in (-1.0, 1e30):
        samples.add(share)
    assert (samples.find_median(), samples.most) == (0, 10_000_000)


def test_memory_is_a_share_of_what_is_granted(sampler: Sampler) -> None:
    place = Scripted(Load(0, 250), Load(0, 500), Load(0, 100))
    sampler.begin(place)
    for _ in range(4):
        assert place.seen.acquire(timeout=20)
    used = sampler.end(place)
    assert used is not None
    assert (used.ram_max, used.cpu_max) == (5000, 0)


def test_a_place_that_cannot_tell_is_passed_over(sampler: Sampler) -> None:
    mute, well = Scripted(None), Scripted(Load(0, 10))
    away, broken = Scripted(UnavailableError("away")), Scripted(ZeroDivisionError("a fault of ours"))
    for place in (mute, away, broken, well):
        sampler.begin(place)
    for place in (mute, away, broken, well):
        assert place.seen.acquire(timeout=20)
        assert place.seen.acquire(timeout=20)  # it is looked at again
    wait_until(lambda: sampler_knows(well, sampler), what="the last place was looked at")
    assert sampler.end(mute) is None
    assert sampler.end(away) is None
    assert sampler.end(broken) is None
    assert sampler.end(well) is not None
    assert sampler.end(well) is None


def sampler_knows(place: Scripted, sampler: Sampler) -> bool:
    return sampler._watches[id(place)].sum_up() is not None


def test_a_sampler_with_nothing_to_do_begins_again(sampler: Sampler) -> None:
    for _ in range(3):
        place = Scripted(Load(0, 10))
        sampler.begin(place)
        assert place.seen.acquire(timeout=20)
        sampler.end(place)


def test_with_no_interval_nobody_looks() -> None:
    sampler, place = Sampler(0), Scripted(Load(0, 1))
    sampler.begin(place)
    assert sampler.end(place) is None
    sampler.close()


def test_a_task_that_burns_a_processor_is_told_as_it_was(bench: Bench) -> None:
    task = bench.run(f"python3 -c '{BURN}'")
    burnt = float(bench.server.output_of(task))
    used = bench.server.finish_of(task).used
    assert used is not None
    processors = measure_machine().processors
    most = used.cpu_max / 10_000 * processors
    assert burnt * 0.7 < most < 1.5  # the most is no less than the mean, and one process is one processor
    assert 0 < used.cpu_median <= used.cpu_max
    assert used.ram_max >= used.ram_median > 0


def test_what_many_short_processes_use_counts_too(bench: Bench) -> None:
    work = "i=0; while [ $i -lt 3000 ]; do i=$((i+1)); done"
    loop = f"end=$(($(date +%s) + 3)); while [ $(date +%s) -lt $end ]; do sh -c '{work}'; done"
    task = bench.run(loop)
    used = bench.server.finish_of(task).used
    assert used is not None
    assert used.cpu_max > 500


def test_a_task_that_ends_before_the_first_look_tells_nothing(bench: Bench) -> None:
    begun = monotonic()
    task = bench.run("true")
    if monotonic() - begun < 0.2:
        assert bench.server.finish_of(task).used is None


def test_what_is_told_travels_and_old_agents_tell_nothing() -> None:
    end = TaskFinished(task="t", sequence=1, at=2, status=TaskStatus.SUCCESS)
    told = msgspec.structs.replace(end, used=Used(1, 2, 3, 4))
    for event in (end, told):
        assert msgspec.json.decode(msgspec.json.encode(event), type=TaskFinished) == event
    assert b"used" not in msgspec.json.encode(end)
