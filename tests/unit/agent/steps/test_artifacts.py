from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from penstock.model.status import StepStatus, TaskStatus
from penstock.plan.step import StoreArtifacts, StoreTestResults
from penstock.wire import messages
from tests.support.agents import QUICK, Bench, host_bench

FILES = "mkdir -p out/sub; echo a > out/a.txt; echo b > out/sub/b.txt; ln -s a.txt out/link"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with host_bench(tmp_path) as bench:
        yield bench


def keep(path: str, destination: str = "") -> StoreArtifacts:
    return StoreArtifacts(name="Uploading artifacts", path=path, destination=destination)


def stored(bench: Bench, task: str) -> dict[str, bytes]:
    return {
        e.path: bench.server.blobs[e.blob]
        for e in bench.server.of(task)
        if isinstance(e, messages.ArtifactStored)
    }


@pytest.mark.parametrize(
    ("step", "paths"),
    [
        (keep("out"), ["out/a.txt", "out/link", "out/sub/b.txt"]),
        (keep("out", "site"), ["site/a.txt", "site/link", "site/sub/b.txt"]),
        (keep("~/project/out/sub"), ["out/sub/b.txt"]),
        (keep("out/a.txt"), ["out/a.txt"]),
        (keep("out/a.txt", "renamed"), ["renamed"]),
        (keep("out/*.txt", "texts"), ["texts/a.txt"]),
        (keep("out/**/*.txt"), ["out/a.txt", "out/sub/b.txt"]),
        (keep("out/a.txt", "../../etc/passwd"), ["etc/passwd"]),
    ],
)
def test_artifacts_are_named_by_their_destination(
    bench: Bench, step: StoreArtifacts, paths: list[str]
) -> None:
    task = bench.run(FILES, step)
    assert list(stored(bench, task)) == paths
    assert bench.server.finish_of(task).status is TaskStatus.SUCCESS


def test_links_are_followed(bench: Bench) -> None:
    task = bench.run(FILES, keep("out"))
    assert stored(bench, task)["out/link"] == b"a\n"


def test_nothing_to_store_is_a_failure_unless_it_is_optional(bench: Bench) -> None:
    optional = msgspec.structs.replace(keep("none"), optional=True)
    task = bench.run(optional, keep("none"))
    assert [step.status for step in bench.server.steps_of(task)] == [StepStatus.SUCCESS, StepStatus.FAILED]


def test_a_file_that_is_too_large_fails_the_step_after_the_others(tmp_path: Path) -> None:
    tuning = msgspec.structs.replace(QUICK, artifact=10, artifacts=12)
    with host_bench(tmp_path, tuning=tuning) as bench:
        task = bench.run(
            "mkdir d; seq 100 > d/1; echo ok > d/2; echo 12345678 > d/3; echo 1 > d/4", keep("d")
        )
        assert list(stored(bench, task)) == ["d/2", "d/3"]
        step = bench.server.steps_of(task)[1]
        assert (step.status, step.message) == (StepStatus.FAILED, "d/1 is larger than 10 B")


def test_test_reports_are_found_in_folders_with_their_path_as_source(bench: Bench) -> None:
    make = "mkdir -p r/jest; echo '<x/>' > r/jest/junit.xml; echo '<y/>' > r/top.xml; echo no > r/readme.md"
    task = bench.run(make, StoreTestResults(name="t", path="r"))
    reports = [event for event in bench.server.of(task) if isinstance(event, messages.TestReport)]
    assert [report.source for report in reports] == ["jest/junit.xml", "top.xml"]
    assert bench.server.blobs[reports[0].blob] == b"<x/>\n"


def test_a_single_report_and_a_missing_one(bench: Bench) -> None:
    task = bench.run(
        "echo '<x/>' > one.xml",
        StoreTestResults(name="t", path="one.xml"),
        StoreTestResults(name="t", path="none"),
    )
    assert [e.source for e in bench.server.of(task) if isinstance(e, messages.TestReport)] == ["one.xml"]
    assert b"No test results found at" in bench.server.output_of(task, step=2)
    assert bench.server.finish_of(task).status is TaskStatus.SUCCESS


def test_too_many_test_results_are_ignored_with_a_sentence(tmp_path: Path) -> None:
    with host_bench(tmp_path, tuning=msgspec.structs.replace(QUICK, reports=3)) as bench:
        task = bench.run("echo '<x/>' > one.xml", StoreTestResults(name="t", path="one.xml"))
        assert b"The test results are larger than 3 B and were ignored" in bench.server.output_of(task)
