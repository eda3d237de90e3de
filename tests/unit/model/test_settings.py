"""Settings have defaults, change by name, and survive what other versions stored."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.model.errors import InvalidError
from penstock.model.settings import OrganizationSettings, ProjectSettings, change_settings, read_settings


def test_nothing_stored_means_the_defaults() -> None:
    assert read_settings(ProjectSettings, {}) == ProjectSettings()
    assert msgspec.to_builtins(ProjectSettings()) == {}


def test_a_change_keeps_the_rest() -> None:
    first = change_settings(ProjectSettings(), {"oss": True, "pr_only_branch_overrides": ["main", "dev"]})
    second = change_settings(first, {"autocancel_builds": True})
    assert second == ProjectSettings(
        oss=True, pr_only_branch_overrides=("main", "dev"), autocancel_builds=True
    )
    assert read_settings(ProjectSettings, msgspec.to_builtins(second)) == second


@pytest.mark.parametrize(
    "changes",
    [
        {"oss": "yes"},
        {"oss": None},
        {"nothing": True},
        {"pr_only_branch_overrides": "main"},
        {"pr_only_branch_overrides": ["main"] * 101},
        {"pr_only_branch_overrides": [1]},
        {"time_limit": -1},
        {"config_path": "/etc/passwd"},
        {"config_path": "../x.yml"},
        {"config_path": "a/../../x.yml"},
        {"config_path": "a/.."},
        {"config_path": "folder/"},
        {"config_path": ""},
        {"config_path": "a\x00b"},
    ],
)
def test_a_wrong_name_or_value_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(InvalidError):
        change_settings(ProjectSettings(), changes)


@pytest.mark.parametrize("path", ["x.yml", ".ci/config.yml", "a/b..c/d.yml", "..yml"])
def test_a_config_may_lie_anywhere_inside_the_repository(path: str) -> None:
    assert change_settings(ProjectSettings(), {"config_path": path}).config_path == path


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda each: st.lists(each, max_size=3)
)


@given(st.dictionaries(st.sampled_from(ProjectSettings.__struct_fields__) | st.text(), JSON))
def test_whatever_is_stored_can_be_read(stored: dict[str, object]) -> None:
    assert isinstance(read_settings(ProjectSettings, stored), ProjectSettings)
    assert isinstance(read_settings(OrganizationSettings, stored), OrganizationSettings)
