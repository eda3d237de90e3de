from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.plan.plan import Plan
from tests.support.engine_stage import EngineStage
from tests.support.pure_stage import PureStage
from tests.support.scenario import Make, assert_looks, play, read_expected
from tests.support.stage import Stage
from tests.support.world import Script

FOLDERS = sorted(path.parent for path in Path(__file__).parent.glob("*/expected.yml"))


@pytest.fixture(params=["pure", "engine"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """How a stage is made: on the pure functions, or on the engine and a SQLite file."""
    made: list[EngineStage] = []

    def make_stage(plan: Plan, script: Script) -> Stage:
        if request.param == "pure":
            return PureStage(plan, script)
        made.append(EngineStage(plan, script, tmp_path))
        return made[-1]

    yield make_stage
    for stage in made:
        stage.close()


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_it_ends_as_expected_and_what_must_hold_holds(folder: Path, make: Make) -> None:
    expected = read_expected(folder)
    stage = play(folder, make)
    assert stage.names() == list(expected.workflows)
    for name, looks in expected.workflows.items():
        assert_looks(name, stage.look(name), looks)
    assert stage.verdict() is expected.pipeline
    assert stage.started == expected.follow_ups.started
    assert stage.held == expected.follow_ups.held
    stage.check()


def test_scenarios_are_numbered_without_gaps() -> None:
    assert [int(folder.name.split("_")[0]) for folder in FOLDERS] == list(range(1, len(FOLDERS) + 1))
