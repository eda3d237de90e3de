"""`penstock clean`: past runs go, what runs stays."""

import json
from pathlib import Path

from tests.support.command import Project
from tests.support.started import started

CONFIG = """\
version: 2.1
jobs:
  make:
    machine: true
    steps:
      - run: head -c 200000 /dev/urandom >big
      - store_artifacts: {path: big}
      - save_cache: {key: "k-{{ .Environment.CIRCLE_PIPELINE_ID }}", paths: [big]}
      - persist_to_workspace: {root: ., paths: [big]}
workflows: {build: {jobs: [make]}}
"""
WAITS = """\
version: 2.1
jobs:
  make:
    machine: true
    steps:
      - run: echo before >kept
      - store_artifacts: {path: kept}
      - persist_to_workspace: {root: ., paths: [kept]}
      - run: 'touch "$MARK/reached"; until [ -e "$MARK/go" ]; do sleep 0.05; done'
  use:
    machine: true
    steps: [attach_workspace: {at: .}, run: cat kept]
workflows: {build: {jobs: [make, use: {requires: [make]}]}}
"""


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_past_runs_go_and_the_newest_stay(tmp_path: Path) -> None:
    project = Project(tmp_path, CONFIG)
    for _ in range(3):
        assert project.call("run", "--keep").status == 0
    blobs, kept = project.home / "blobs", project.home / "kept"
    assert (len(files_below(blobs)), len(list(kept.iterdir()))) == (9, 3)
    foreseen = json.loads(
        project.call("clean", "--older-than", "0s", "--keep", "1", "--dry-run", "--json").out
    )
    assert len(files_below(blobs)) == 9
    done = json.loads(project.call("clean", "--older-than", "0s", "--keep", "1", "--json").out)
    assert (done["runs"], done["caches"], done["files"]) == (2, 3, 7)
    assert {**done, "freed": 0} == {**foreseen, "freed": 0}
    assert done["freed"] >= foreseen["freed"] >= 7 * 100_000
    assert (len(files_below(blobs)), len(list(kept.iterdir()))) == (2, 1)
    assert [line.split()[1] for line in project.call("runs").out.splitlines()] == ["3"]
    assert project.call("logs", "--run", "3").status == 0


def test_young_runs_stay_by_themselves(tmp_path: Path) -> None:
    project = Project(tmp_path, CONFIG)
    project.call("run")
    done = project.call("clean", "--keep", "0")
    assert (done.status, done.out) == (0, "Removed 0 runs, 0 caches and 0 files: 0 B\n")
    assert project.call("clean", "--caches", "--keep", "0").out.startswith(
        "Removed 0 runs, 1 cache and 1 file: "
    )


def test_a_run_that_goes_on_loses_nothing(tmp_path: Path) -> None:
    project = Project(tmp_path, WAITS)
    with started(project, mark=tmp_path / "mark") as run:
        run.reach("reached")
        done = project.call("clean", "--older-than", "0s", "--keep", "0", "--caches")
        assert done.status == 0, done.err
        assert done.out.startswith("Removed 0 runs, 0 caches and 0 files")
        (tmp_path / "mark/go").touch()
        status, printed = run.end()
    assert status == 0, printed
    assert "make: kept" in printed


def test_calls_that_make_no_sense_are_refused(tmp_path: Path) -> None:
    project = Project(tmp_path, CONFIG)
    for arguments, said in {
        ("--keep", "-1"): "--keep must be 0 or more",
        ("--older-than", "30"): "not a duration",
        ("--older-than", "99999999d"): "at most a hundred years",
    }.items():
        done = project.call("clean", *arguments)
        assert done.status == 2
        assert said in done.err
