"""Filters and the regular expressions in them."""

import time

import pytest

from penstock.language.common.filters import matches_any, unwrap_pattern
from penstock.language.common.pattern import PatternError, check_pattern, matches_whole


@pytest.mark.parametrize(
    ("name", "entries", "expected"),
    [
        ("main", ["main"], True),
        ("main", ["mai"], False),
        ("main", ["/mai/"], False),
        ("main", ["/mai./"], True),
        ("feature/x", ["main", "/feature\\/.*/"], True),
        ("anything", ["/.*/"], True),
        ("/main/", ["/main/"], False),
        ("v1.2.3", ["/v[0-9]+(\\.[0-9]+)*/"], True),
        ("topic", ["/^(?!main$).*/"], True),
        ("main", ["/^(?!main$).*/"], False),
        ("x", [], False),
    ],
)
def test_a_name_is_held_against_names_and_whole_patterns(
    name: str, entries: list[str], *, expected: bool
) -> None:
    assert matches_any(name, entries) is expected


def test_one_slash_is_a_name() -> None:
    assert unwrap_pattern("/") is None
    assert unwrap_pattern("/a/") == "a"


@pytest.mark.parametrize("pattern", ["(", "[z-a]", "a{99999999999}", "*", "(?P<x"])
def test_an_invalid_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        check_pattern(pattern)


def test_a_pattern_that_explodes_is_stopped() -> None:
    start = time.monotonic()
    with pytest.raises(PatternError):
        matches_whole("(x+x+)+(x+x+)+y", "x" * 5000)
    assert time.monotonic() - start < 3


def test_simple_patterns_on_long_names_are_bounded_too() -> None:
    assert not matches_whole(".*a.*b.*", "x" * 200)
    assert matches_whole("x*", "x" * 100_000)
