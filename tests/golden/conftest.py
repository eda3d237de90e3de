"""`--update-golden`: writes what comes out instead of comparing it."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write golden files instead of comparing")


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """True when golden files are to be written; false also when the option came too late to be known."""
    return bool(request.config.getoption("--update-golden", default=False))
