"""Artifacts, test results, caches and workspaces."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from penstock.kit.ids import new_id
from penstock.model.output import Artifact, CacheEntry, TestCase, TestOutcome, WorkspaceLayer
from penstock.store import artifacts, caches, test_results, workspaces
from penstock.store.database import Database
from penstock.store.test_results import ReportSet, TestCounts, TimingKind
from tests.support.records import NOW, add_jobs, add_project


def an_artifact(job_id: int, path: str, index: int = 0) -> Artifact:
    return Artifact(uuid=new_id(), job_id=job_id, task_index=index, path=path, size=5, blob="b/1")


def an_entry(key: str, blob: str = "c/1", at: int = NOW) -> CacheEntry:
    return CacheEntry(key=key, blob=blob, size=9, created_at=at)


def test_artifacts_are_listed_by_task_and_path_in_pages(db: Database) -> None:
    with db.write() as tx:
        [job] = add_jobs(tx)
        made = [an_artifact(job.id, path, index) for index, path in ((1, "a"), (0, "b/Z"), (0, "b/a"))]
        for artifact in made:
            artifacts.save_artifact(tx, artifact, now=NOW)
        in_order = [made[1], made[2], made[0]]
        assert artifacts.artifacts_of(tx, job.id) == in_order
        assert artifacts.artifacts_of(tx, job.id, after=(0, "b/Z"), limit=1) == in_order[1:2]
        assert artifacts.artifacts_of(tx, job.id, after=(0, "b/a")) == in_order[2:]
        assert artifacts.artifact_by_uuid(tx, made[0].uuid) == made[0]
        assert artifacts.find_artifact(tx, job.id, 1, "a") == made[0]
        assert artifacts.find_artifact(tx, job.id, 2, "a") is None


def test_another_attempt_replaces_an_artifact(db: Database) -> None:
    with db.write() as tx:
        [job] = add_jobs(tx)
        for artifact in (an_artifact(job.id, "x"), again := an_artifact(job.id, "x")):
            artifacts.save_artifact(tx, artifact, now=NOW)
        assert artifacts.artifacts_of(tx, job.id) == [again]


def some_cases(count: int, seconds: float = 0.5) -> list[TestCase]:
    results = [TestOutcome.SUCCESS, TestOutcome.FAILURE, TestOutcome.ERROR, TestOutcome.SKIPPED]
    return [
        TestCase(
            name=f"test_{index}",
            classname=f"C{index % 3}",
            file=f"f{index % 2}.py" if index % 5 else "",
            result=results[index % 4],
            seconds=seconds,
            message="broke \x00 it" if index == 1 else "",
        )
        for index in range(count)
    ]


def test_test_cases_come_back_in_pages_and_as_counts(db: Database) -> None:
    with db.write() as tx:
        [job] = add_jobs(tx)
        place = ReportSet(project_id=job.project_id, job_name="test", job_id=job.id, task_index=2, now=NOW)
        test_results.save_cases(tx, place, [])
        test_results.save_cases(tx, place, some_cases(10))
        page = test_results.cases_of(tx, job.id, limit=6)
        rest = test_results.cases_of(tx, job.id, after=page[-1][0])
        found = [case for _, case in [*page, *rest]]
        assert [case.name for case in found] == [f"test_{index}" for index in range(10)]
        assert found[1].message == "broke \ufffd it"
        assert found[2:] == some_cases(10)[2:]
        counts = TestCounts(task_index=2, total=10, failed=5, skipped=2, seconds=5.0)
        assert test_results.counts_of(tx, job.id) == [counts]


def test_ten_thousand_cases_are_stored_in_one_go(db: Database) -> None:
    cases = some_cases(10_000)
    with db.write() as tx:
        [job] = add_jobs(tx)
        place = ReportSet(project_id=job.project_id, job_name="test", job_id=job.id, task_index=0, now=NOW)
        begun = time.process_time()
        test_results.save_cases(tx, place, cases)
        assert time.process_time() - begun < 3.0
        assert test_results.counts_of(tx, job.id)[0].total == 10_000


def test_timings_are_means_over_the_last_runs(db: Database) -> None:
    with db.write() as tx:
        first, second, third, other = add_jobs(tx, ["a", "b", "c", "d"])
        runs = [
            (first, 0, 1, 100.0),
            (second, 0, 1, 1.0),
            (second, 1, 1, 2.0),
            (third, 0, 1, 77.0),  # tried again, so this time does not count
            (third, 0, 2, 5.0),
        ]
        for job, index, attempt, seconds in runs:
            place = ReportSet(
                project_id=job.project_id,
                job_name="test",
                job_id=job.id,
                task_index=index,
                now=NOW,
                attempt=attempt,
            )
            case = TestCase(name="t", classname="C", file="f.py", result=TestOutcome.SUCCESS, seconds=seconds)
            once = TestCase(name="o", classname=f"only-{index}", result=TestOutcome.SUCCESS, seconds=4.0)
            test_results.save_cases(tx, place, [case, once])
        assert other.project_id == first.project_id
        means = test_results.mean_timings(
            tx, first.project_id, "test", list(TimingKind), before=NOW + 1, runs=2
        )
        assert means == {
            TimingKind.FILE: {"f.py": pytest.approx((3.0 + 5.0) / 2)},
            TimingKind.CLASSNAME: {"C": 4.0, "only-0": 4.0, "only-1": 4.0},
            TimingKind.NAME: {"t": 4.0, "o": pytest.approx((8.0 + 4.0) / 2)},
        }
        by_file = test_results.mean_timings(
            tx, first.project_id, "test", [TimingKind.FILE], before=NOW + 1, runs=2
        )
        assert by_file.keys() == {TimingKind.FILE}
        assert test_results.mean_timings(tx, first.project_id, "none", list(TimingKind), before=NOW + 1) == {}
        assert test_results.mean_timings(tx, first.project_id, "test", list(TimingKind), before=NOW) == {}


def test_failed_tests_are_named_by_file_class_and_name(db: Database) -> None:
    def case(name: str, result: TestOutcome, file: str = "") -> TestCase:
        return TestCase(name=name, classname=name.upper(), file=file, result=result)

    with db.write() as tx:
        job, other = add_jobs(tx, ["a", "b"])
        place = ReportSet(project_id=job.project_id, job_name="test", job_id=job.id, task_index=0, now=NOW)
        cases = [
            case("good", TestOutcome.SUCCESS, "g.py"),
            case("bad", TestOutcome.FAILURE, "b.py"),
            case("broken", TestOutcome.ERROR),
            case("bad", TestOutcome.FAILURE, "b.py"),
            case("later", TestOutcome.SKIPPED, "l.py"),
        ]
        test_results.save_cases(tx, place, cases)
        assert test_results.failed_names(tx, job.id, 1) == {
            TimingKind.FILE: ("b.py",),
            TimingKind.CLASSNAME: ("BAD", "BROKEN"),
            TimingKind.NAME: ("bad", "broken"),
        }
        assert test_results.failed_names(tx, other.id, 1) == {}


def test_the_first_to_claim_a_cache_key_keeps_it(db: Database) -> None:
    with db.write() as tx:
        project = add_project(tx)
        assert caches.claim_key(tx, project.id, "", an_entry("k"))
        assert not caches.claim_key(tx, project.id, "", an_entry("k", blob="c/2"))
        assert caches.claim_key(tx, project.id, "other scope", an_entry("k"))
        assert caches.has_key(tx, project.id, "", "k", now=NOW)
        assert not caches.has_key(tx, project.id, "", "K", now=NOW)
        assert caches.find_newest(tx, project.id, "", "k", now=NOW) == an_entry("k")


def test_threads_that_claim_one_key_have_one_winner(db: Database) -> None:
    with db.write() as tx:
        project = add_project(tx)
    start = threading.Barrier(6)

    def claim(index: int) -> bool:
        start.wait(10)
        with db.write() as tx:
            return caches.claim_key(tx, project.id, "", an_entry("k", blob=f"c/{index}"))

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(claim, range(6))) == [False] * 5 + [True]


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("v1-", "v1-b"),
        ("v1-a", "v1-a"),
        ("v1_", "v1_x"),
        ("v1%", "v1%x"),
        ("v1", "v1\U0010ffffz"),
        ("v1\U0010ffff", "v1\U0010ffffz"),
        ("\U0010ffff", "\U0010ffff"),
        ("v1\ud7ff", None),
        ("", "\U0010ffff"),
        ("V1", None),
        ("v2", None),
    ],
)
def test_the_newest_key_with_the_prefix_is_found(db: Database, prefix: str, expected: str | None) -> None:
    with db.write() as tx:
        project = add_project(tx)
        for key in ("v1-a", "v1-b", "v1_x", "v1%x", "v1\U0010ffffz", "\U0010ffff"):
            caches.claim_key(tx, project.id, "", an_entry(key))
        found = caches.find_newest(tx, project.id, "", prefix, now=NOW)
        assert (found and found.key) == expected


def test_old_caches_are_removed_with_the_names_of_their_blobs(db: Database) -> None:
    with db.write() as tx:
        project = add_project(tx)
        for index in range(3):
            caches.claim_key(tx, project.id, "", an_entry(f"k{index}", blob=f"c/{index}", at=NOW + index))
        assert caches.delete_older(tx, NOW + 2, limit=1) == ["c/0"]
        assert caches.delete_older(tx, NOW + 2) == ["c/1"]
        assert caches.has_key(tx, project.id, "", "k2", now=NOW)


def test_a_cache_whose_time_is_over_is_as_if_it_were_not_there(db: Database) -> None:
    with db.write() as tx:
        project = add_project(tx)
        assert caches.next_expiry(tx) is None
        for key, end in (("k1", NOW + 5), ("k2", None), ("k3", NOW + 3)):
            entry = CacheEntry(key=key, blob=f"c/{key}", size=1, created_at=NOW, expires_at=end)
            caches.claim_key(tx, project.id, "", entry)
        assert caches.next_expiry(tx) == NOW + 3
        newest = [caches.find_newest(tx, project.id, "", "k", now=NOW + after) for after in (2, 3)]
        assert [found.key if found else None for found in newest] == ["k3", "k2"]
        assert caches.has_key(tx, project.id, "", "k1", now=NOW + 4)
        assert not caches.has_key(tx, project.id, "", "k1", now=NOW + 5)
        assert caches.free_key(tx, project.id, "", "k1", now=NOW + 4) == []
        assert caches.free_key(tx, project.id, "", "k1", now=NOW + 5) == ["c/k1"]
        assert caches.delete_expired(tx, NOW + 2) == []
        assert caches.delete_expired(tx, NOW + 9) == ["c/k3"]
        assert caches.has_key(tx, project.id, "", "k2", now=NOW + 9)


def test_layers_of_a_workspace_keep_their_order(db: Database) -> None:
    layers = [
        WorkspaceLayer(job_key=key, task_index=index, blob=f"{key}{index}", size=1)
        for key, index in (("b", 0), ("a", 1), ("a", 0), ("b", 1))
    ]
    workspace = new_id()
    with db.write() as tx:
        for layer in layers:
            workspaces.add_layer(tx, workspace, layer, now=NOW)
        workspaces.add_layer(tx, new_id(), layers[0], now=NOW)
        assert workspaces.layers_of(tx, workspace) == layers
        assert workspaces.layers_of(tx, workspace, ["a", "c"]) == layers[1:3]
        assert sorted(workspaces.drop_layers(tx, workspace, "b")) == ["b0", "b1"]
        assert workspaces.layers_of(tx, workspace) == layers[1:3]
