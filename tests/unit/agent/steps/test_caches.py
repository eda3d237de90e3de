from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.agent.transport import BlobKind
from penstock.model.errors import UnavailableError
from penstock.model.status import StepStatus, TaskStatus
from penstock.plan.step import RestoreCache, SaveCache
from tests.support.agents import Bench, host_bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with host_bench(tmp_path) as bench:
        yield bench


def save(key: str, *paths: str) -> SaveCache:
    return SaveCache(name="Saving cache", key=key, paths=paths)


def restore(*keys: str) -> RestoreCache:
    return RestoreCache(name="Restoring cache", keys=keys)


def test_what_one_job_saves_the_next_finds_in_its_own_home(bench: Bench, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    make = f"mkdir -p ~/.cache/x {outside} vendor; echo h > ~/.cache/x/f; echo o > {outside}/f; "
    make += "echo v > vendor/f"
    bench.run(
        make, save("v1-{{ .Environment.X }}", "~/.cache", str(outside), "vendor"), environment={"X": "y"}
    )
    (outside / "f").unlink()
    task = bench.run(restore("v1-"), f"cat ~/.cache/x/f {outside}/f vendor/f")
    assert bench.server.output_of(task, step=1) == b"h\no\nv\n"
    assert b"Found a cache at v1-y" in bench.server.output_of(task, step=0)


def test_a_key_that_is_taken_is_kept(bench: Bench) -> None:
    bench.run("echo one > f", save("key", "f"))
    task = bench.run("echo two > f", save("key", "f"))
    assert b"Skipping cache generation, cache already exists for key: key" in bench.server.output_of(
        task, step=1
    )
    assert len(bench.server.blobs) == 1


def test_a_missing_path_is_a_warning(bench: Bench) -> None:
    task = bench.run("echo > there", save("key", "there", "not-there"), save("other", "nowhere"))
    assert b"not-there - Not found" in bench.server.output_of(task, step=1)
    assert list(bench.server.caches) == ["key"]
    assert bench.server.finish_of(task).status is TaskStatus.SUCCESS


def test_no_cache_is_no_failure(bench: Bench) -> None:
    task = bench.run(restore("a", "b"))
    assert bench.server.output_of(task) == b"No cache is found for key: a\nNo cache is found for key: b\n"
    assert bench.server.finish_of(task).status is TaskStatus.SUCCESS


def test_a_cache_that_cannot_be_stored_is_a_warning(bench: Bench) -> None:
    bench.server.upload_trouble = UnavailableError("the disk is full")
    task = bench.run("echo > f", save("key", "f"))
    assert b"Warning: the cache was not stored: the disk is full" in bench.server.output_of(task, step=1)
    assert bench.server.finish_of(task).status is TaskStatus.SUCCESS


def test_a_cache_that_is_gone_is_a_warning(bench: Bench) -> None:
    bench.run("echo > f", save("key", "f"))
    bench.server.blobs.clear()
    task = bench.run(restore("key"))
    assert b"Warning: the cache could not be read" in bench.server.output_of(task)
    assert bench.server.finish_of(task).status is TaskStatus.SUCCESS


def test_a_damaged_archive_fails_the_step_with_a_sentence(bench: Bench) -> None:
    bench.run("seq 1000 > f", save("key", "f"))
    blob = bench.server.caches["key"].blob
    bench.server.blobs[blob] = bench.server.blobs[blob][:-50]
    task = bench.run(restore("key"))
    assert bench.server.steps_of(task)[0].status is StepStatus.FAILED
    assert "the stored archive is damaged" in bench.server.steps_of(task)[0].message


def test_a_key_may_be_nine_hundred_characters_and_not_more(bench: Bench) -> None:
    task = bench.run(restore("k" * 900), restore("k" * 901))
    first, second = bench.server.steps_of(task)
    assert first.status is StepStatus.SUCCESS
    assert second.message == "the cache key has 901 characters, 900 are allowed"


def test_uploads_name_their_kind_and_size(bench: Bench) -> None:
    bench.run("seq 100000 > f", save("key", "f"))
    cache = bench.server.caches["key"]
    assert bench.server.kinds[cache.blob] is BlobKind.CACHE
    assert cache.size == len(bench.server.blobs[cache.blob]) < 400_000
