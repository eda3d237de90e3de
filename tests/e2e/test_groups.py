"""A job group runs as one unit: it starts with its lock, and what waits for it waits for all its jobs."""

from pathlib import Path

from tests.support.command import Project

CONFIG = """\
version: 2.1
jobs:
  build: {machine: true, steps: [run: echo build]}
  fail: {machine: true, steps: [run: "false"]}
  ship: {machine: true, steps: [run: echo ship]}
job-groups:
  good: {jobs: [build, ship: {requires: [build]}]}
  bad: {jobs: [fail, build]}
workflows:
  main:
    jobs:
      - good: {serial-group: acme/deploy}
      - bad: {serial-group: acme/deploy, requires: [good]}
      - ship: {requires: [good]}
      - build: {name: never, requires: [bad]}
      - build: {name: after, requires: [ship], serial-group: acme/deploy}
"""


def list_outcomes(project: Project) -> tuple[int, dict[str, str]]:
    """The exit status, and how each job ended."""
    done = project.run("--json", timeout=120)
    changes = [event for event in done.events() if event.get("type") == "job"]
    return done.status, {str(event["name"]): str(event["status"]) for event in changes}


def test_groups_run_as_units_and_give_their_lock_back(tmp_path: Path) -> None:
    status, jobs = list_outcomes(Project(tmp_path, CONFIG))
    passed = {name for name, ended in jobs.items() if ended == "success"}
    assert status == 1
    assert passed == {
        "good/group-start", "good/build", "good/ship", "good/group-end", "good/unlock", "bad/group-start",
        "bad/build", "bad/unlock", "ship", "after",
    }  # fmt: skip
    assert jobs["bad/fail"] == "failed"
    assert "success" not in {jobs.get("bad/group-end"), jobs.get("never")}
