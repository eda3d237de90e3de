from pathlib import Path

import pytest

from tests.support.scenario import assert_looks, play, read_expected

FOLDERS = sorted(path.parent for path in Path(__file__).parent.glob("*/expected.yml"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_it_ends_as_expected(folder: Path) -> None:
    expected = read_expected(folder)
    world = play(folder)
    assert list(world.runs) == list(expected.workflows)
    for name, looks in expected.workflows.items():
        assert_looks(world.runs[name], looks)
    assert world.verdict() is expected.pipeline
    assert world.started == expected.follow_ups.started
    assert world.held == expected.follow_ups.held


def test_scenarios_are_numbered_without_gaps() -> None:
    assert [int(folder.name.split("_")[0]) for folder in FOLDERS] == list(range(1, len(FOLDERS) + 1))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_workflow_says_once_that_it_ended_and_no_attempt_is_queued_twice(folder: Path) -> None:
    world = play(folder)
    for run in world.runs.values():
        assert run.ended == int(run.state.status.is_terminal)
        assert len(run.enqueued) == len(set(run.enqueued))
        assert not run.state.locks or not run.state.status.is_terminal
