from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from penstock.forge.checkout import read_checkout, take_snapshot
from penstock.model.run import Revision
from penstock.model.status import StepStatus
from penstock.plan.step import Checkout
from penstock.wire.messages import Source
from tests.support.agents import Bench, host_bench
from tests.support.repositories import git, make_repository, write_files

CHECKOUT = Checkout(name="Checkout code")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with host_bench(tmp_path / "work") as bench:
        yield bench


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "repo", {"a.txt": "first\n", "dir/b.txt": "b\n", "gone.txt": "x\n"})


def source_of(repository: Path, **revision: str) -> Source:
    sha = git(repository, "rev-parse", revision.pop("at", "HEAD"))
    return Source(url=str(repository), revision=msgspec.convert({"sha": sha, **revision}, Revision))


def show(bench: Bench, task: str, step: int = 1) -> str:
    return bench.server.output_of(task, step=step).decode()


def test_a_branch_is_checked_out_at_the_exact_revision(bench: Bench, repository: Path) -> None:
    source = source_of(repository, branch="feature/x")
    write_files(repository, {"a.txt": "second\n"})
    git(repository, "commit", "-qam", "second")
    task = bench.run(
        CHECKOUT, "cat a.txt; git rev-parse HEAD; git branch --show-current; git status -s", source=source
    )
    assert show(bench, task) == f"first\n{source.revision.sha}\nfeature/x\n"
    assert "HEAD is now at" in show(bench, task, 0)


def test_a_tag_is_checked_out_detached(bench: Bench, repository: Path) -> None:
    git(repository, "tag", "v1")
    task = bench.run(
        CHECKOUT, "git describe --tags; git branch --show-current", source=source_of(repository, tag="v1")
    )
    assert show(bench, task) == "v1\n"


def test_uncommitted_changes_lie_over_the_revision_and_are_still_uncommitted(
    bench: Bench, repository: Path, tmp_path: Path
) -> None:
    write_files(repository, {"a.txt": "changed\n", "new.txt": "new\n"})
    (repository / "gone.txt").unlink()
    snapshot = take_snapshot(read_checkout(repository), tmp_path / "snapshot")
    source = Source(
        url=str(snapshot.repository), revision=snapshot.revision, origin="https://git.example.com/o/r.git"
    )
    task = bench.run(
        CHECKOUT, "cat a.txt new.txt; git status --porcelain; git remote get-url origin; ls", source=source
    )
    assert show(bench, task) == (
        "changed\nnew\n M a.txt\n D gone.txt\n?? new.txt\nhttps://git.example.com/o/r.git\na.txt\ndir\nnew.txt\n"
    )


def test_the_users_repository_is_only_read(bench: Bench, repository: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in repository.rglob("*")}
    bench.run(
        CHECKOUT, "git commit -q --allow-empty -m x || true", source=source_of(repository, branch="main")
    )
    assert {path: path.stat().st_mtime_ns for path in repository.rglob("*")} == before


def test_an_existing_clone_is_updated(bench: Bench, repository: Path) -> None:
    first = source_of(repository, branch="main")
    write_files(repository, {"a.txt": "second\n"})
    git(repository, "commit", "-qam", "second")
    source = source_of(repository, branch="main")
    clone = f"git clone -q {repository} . && git reset -q --hard {first.revision.sha} && echo dirt > a.txt"
    task = bench.run(clone, CHECKOUT, "cat a.txt; git status -s", source=source)
    assert show(bench, task, 2) == "second\n"


def test_another_path_is_respected_and_a_full_one_refused(bench: Bench, repository: Path) -> None:
    source = source_of(repository, branch="main")
    elsewhere = Checkout(name="c", path="~/elsewhere")
    task = bench.run(elsewhere, "ls ~/elsewhere; ls -A", "touch full", CHECKOUT, source=source)
    assert show(bench, task) == "a.txt\ndir\ngone.txt\n"
    assert bench.server.steps_of(task)[3].status is StepStatus.FAILED
    assert "is not empty and no git repository" in show(bench, task, 3)


def test_a_revision_that_is_nowhere_is_named(bench: Bench, repository: Path) -> None:
    source = Source(url=str(repository), revision=Revision(sha="1" * 40, branch="main"))
    task = bench.run(CHECKOUT, source=source)
    assert f"the revision {'1' * 40} is not in {repository}" in show(bench, task, 0)


def test_a_url_is_cloned_with_all_its_tags(bench: Bench, repository: Path) -> None:
    git(repository, "tag", "v1")
    source = source_of(repository, branch="main")
    remote = Source(url=f"file://{repository}", revision=source.revision)
    task = bench.run(CHECKOUT, "git tag; test ! -e .git/objects/info/alternates", source=remote)
    assert show(bench, task) == "v1\n"
    assert bench.server.steps_of(task)[1].status is StepStatus.SUCCESS
