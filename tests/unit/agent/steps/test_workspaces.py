from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.model.status import StepStatus, TaskStatus
from penstock.plan.step import AttachWorkspace, PersistToWorkspace
from penstock.wire.messages import Layer, LayerSaved
from tests.support.agents import Bench, host_bench

ATTACH = AttachWorkspace(name="Attaching workspace", at="~/ws")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with host_bench(tmp_path) as bench:
        yield bench


def persist(root: str, *paths: str) -> PersistToWorkspace:
    return PersistToWorkspace(name="Persisting to workspace", root=root, paths=paths)


def make_layer(
    bench: Bench, job: str, command: str, *paths: str, index: int = 0, after: tuple[str, ...] = ()
) -> Layer:
    task = bench.run(command, persist(".", *paths))
    assert bench.server.finish_of(task).status is TaskStatus.SUCCESS
    saved = next(event for event in bench.server.of(task) if isinstance(event, LayerSaved))
    return Layer(job=job, index=index, blob=saved.blob, after=after)


def test_layers_are_laid_over_each_other_in_order(bench: Bench) -> None:
    one = make_layer(bench, "build", "mkdir -p d; echo 1 > d/a; echo 1 > d/b", "d")
    make = "mkdir -p d; echo 2 > d/b; echo 2 > c"
    two = make_layer(bench, "test", make, "d/*", "c", after=("build",))
    task = bench.run(ATTACH, "cd ~/ws; cat d/a d/b c", layers=(one, two))
    assert bench.server.output_of(task, step=1) == b"1\n2\n2\n"


def test_globs_choose_what_is_persisted(bench: Bench) -> None:
    layer = make_layer(
        bench, "a", "mkdir -p out/x; touch out/1.bin out/2.txt out/x/3.bin", "out/*.bin", "out/x"
    )
    task = bench.run(ATTACH, "cd ~/ws; find . -type f | sort", layers=(layer,))
    assert bench.server.output_of(task, step=1) == b"./out/1.bin\n./out/x/3.bin\n"


def test_the_root_itself_may_be_persisted_with_hidden_files(bench: Bench) -> None:
    layer = make_layer(bench, "a", "touch .hidden shown", ".")
    task = bench.run(ATTACH, "ls -A ~/ws", layers=(layer,))
    assert bench.server.output_of(task, step=1) == b".hidden\nshown\n"


def test_a_job_may_replace_a_file_of_one_long_before_it(bench: Bench) -> None:
    layers = [make_layer(bench, "a", "echo a > f", "f")]
    layers.append(make_layer(bench, "b", "echo b > other", "other", after=("a",)))
    layers.append(make_layer(bench, "c", "echo c > f", "f", after=("b",)))
    task = bench.run(ATTACH, "cat ~/ws/f", layers=tuple(layers))
    assert bench.server.output_of(task, step=1) == b"c\n"


@pytest.mark.parametrize(
    ("job", "index", "named"), [("build", 1, "build and build (copy 1)"), ("test", 0, "build and test")]
)
def test_what_ran_side_by_side_must_not_persist_the_same_file(
    bench: Bench, job: str, index: int, named: str
) -> None:
    first = make_layer(bench, "setup", "mkdir d; echo 0 > d/same", "d")
    one = make_layer(bench, "build", "mkdir d; echo 0 > d/same", "d", after=("setup",))
    two = make_layer(bench, job, "mkdir d; echo 1 > d/same", "d/same", index=index, after=("setup",))
    task = bench.run(ATTACH, layers=(first, one, two))
    step = bench.server.steps_of(task)[0]
    assert step.status is StepStatus.FAILED
    assert step.message == f"Concurrent upstream jobs persisted the same file(s): d/same by {named}"


@pytest.mark.parametrize(
    ("step", "sentence"),
    [
        (persist("/nowhere", "x"), "the workspace root /nowhere is not a directory"),
        (persist("/usr", "none-*"), "The specified paths did not match any files in /usr"),
        (persist("/usr/bin", "../lib"), "../lib leads out of the workspace root /usr/bin"),
    ],
)
def test_what_cannot_be_persisted_is_said(bench: Bench, step: PersistToWorkspace, sentence: str) -> None:
    task = bench.run(step)
    assert bench.server.steps_of(task)[0].message == sentence
