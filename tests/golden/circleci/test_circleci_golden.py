"""Every construct and every mistake of the CircleCI language, as a folder of files."""

from pathlib import Path

import pytest

from penstock.language.circleci import compile as compile_config
from tests.support.golden import check_golden, read_context, show_plan

FOLDER = Path(__file__).parent
CASES = sorted(path.parent for path in FOLDER.glob("*/config.yml"))


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_a_config_compiles_to_what_its_folder_says(folder: Path, *, update_golden: bool) -> None:
    plan = compile_config((folder / "config.yml").read_bytes(), read_context(folder))
    check_golden(folder, show_plan(plan), update=update_golden)
