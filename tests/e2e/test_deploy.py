"""The deprecated `deploy` step: once, by the first parallel copy, when the others have passed."""

from pathlib import Path

import pytest

from tests.support.command import Project

CONFIG = """
version: 2.1
jobs:
  build:
    machine: true
    parallelism: 3
    steps:
      - run: {name: work, command: 'echo "worked $CIRCLE_NODE_INDEX" >> LOG; COMMAND'}
      - deploy: {name: deploy, command: 'echo "deployed $CIRCLE_NODE_INDEX" >> LOG'}
      - run: {name: after, command: 'echo after'}
"""


@pytest.mark.parametrize("slots", ["1", "3"])
def test_one_copy_deploys_after_all_have_worked(tmp_path: Path, slots: str) -> None:
    log = tmp_path / "log"
    project = Project(tmp_path, CONFIG.replace("LOG", str(log)).replace("COMMAND", "true"))
    outcome = project.run("--max-parallel", slots)
    assert outcome.status == 0, outcome
    lines = log.read_text().splitlines()
    assert sorted(lines[:3]) == ["worked 0", "worked 1", "worked 2"]
    assert lines[3:] == ["deployed 0"]
    assert project.log("build-2", "deploy") == "Only the first of the 3 parallel copies does this\n"


@pytest.mark.parametrize("failing", [0, 2])
def test_nothing_is_deployed_when_a_copy_fails(tmp_path: Path, failing: int) -> None:
    log = tmp_path / "log"
    command = f'test "$CIRCLE_NODE_INDEX" != {failing}'
    project = Project(tmp_path, CONFIG.replace("LOG", str(log)).replace("COMMAND", command))
    assert project.run().status == 1
    assert "deployed" not in log.read_text()
