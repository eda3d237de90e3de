"""Patterns of paths."""

import pytest

from penstock.forge.glob import fixed_folder, match_paths

PATHS = ["a.yml", "x/a.yml", "x/y/a.yml", "x/y/b.yaml", "x/.hidden/a.yml"]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("**", PATHS),
        ("*", ["a.yml"]),
        ("*/*.yml", ["x/a.yml"]),
        ("**/a.yml", ["a.yml", "x/a.yml", "x/y/a.yml", "x/.hidden/a.yml"]),
        ("x/**", PATHS[1:]),
        ("x/**/y/**/*.yaml", ["x/y/b.yaml"]),
        ("x/?/[ab].y*ml", ["x/y/a.yml", "x/y/b.yaml"]),
        ("nothing", []),
    ],
)
def test_a_star_stays_in_its_folder_and_two_do_not(pattern: str, found: list[str]) -> None:
    assert match_paths(pattern, PATHS) == found


def test_the_folder_of_every_match_is_known() -> None:
    assert [fixed_folder(each) for each in ("a/b/*.yml", "a/b", "*/x", "a/**")] == ["a/b", "a", "", "a"]


@pytest.mark.timeout(10)
def test_no_pattern_takes_for_ever() -> None:
    assert match_paths("**/" * 200 + "x" + "*a" * 200, ["a/" * 500 + "a" * 2000]) == []
