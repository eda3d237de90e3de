"""Workspaces from job to job: order, conflicts, and what a rerun inherits."""

from pathlib import Path

from tests.support.command import Project


def make_config(jobs: dict[str, str], flow: str) -> str:
    """Jobs of one command that attach the workspace and persist `out`, and a workflow of them."""
    listed = "".join(
        f"""
  {name}:
    machine: true
    steps:
      - attach_workspace: {{at: .}}
      - run: {{name: work, command: 'mkdir -p out; {command}'}}
      - persist_to_workspace: {{root: ., paths: [out]}}"""
        for name, command in jobs.items()
    )
    return f"version: 2.1\njobs:{listed}\nworkflows:\n  main:\n    max_auto_reruns: 1\n    jobs: {flow}\n"


def test_a_job_after_another_may_replace_its_file(tmp_path: Path) -> None:
    jobs = {"one": "echo 1 > out/f", "two": "echo 2 > out/f", "last": "cat out/f"}
    project = Project(
        tmp_path, make_config(jobs, "[one, two: {requires: [one]}, last: {requires: [one, two]}]")
    )
    assert project.run().status == 0
    assert project.log("last", "work") == "2\n"


def test_jobs_beside_each_other_must_not_persist_the_same_file(tmp_path: Path) -> None:
    jobs = {"one": "echo 1 > out/f", "two": "echo 2 > out/f", "last": "cat out/f"}
    project = Project(tmp_path, make_config(jobs, "[one, two, last: {requires: [one, two]}]"))
    outcome = project.run()
    assert outcome.status == 1
    named = "Concurrent upstream jobs persisted the same file(s): out/f by one and two"
    assert named in outcome.out


def test_a_rerun_from_failed_inherits_the_workspace(tmp_path: Path) -> None:
    once, again = tmp_path / "once", tmp_path / "again"
    jobs = {
        "one": f"echo ran >> {once}; echo kept > out/f",
        "two": f"cat out/f; ls {again} || ! touch {again}",
    }
    project = Project(tmp_path, make_config(jobs, "[one, two: {requires: [one]}]"))
    outcome = project.run()
    assert outcome.status == 0, outcome
    assert once.read_text() == "ran\n"
    assert again.exists()
