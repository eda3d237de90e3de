"""Regular expressions of configs: the syntax of Java and RE2, as a whole, in bounded time."""

import time

import pytest

from penstock.language.common.pattern import PatternError, SlowPatternError, check_pattern, matches_whole


@pytest.mark.parametrize(
    ("pattern", "right", "wrong"),
    [
        ("a.c", "abc", "abcd"),
        (r"v\d+\.\d+", "v1.2", "v1.2-rc"),
        ("(?!main).*", "dev", "main"),
        (r"\p{L}+", "žluť", "a1"),
        ("[[:alpha:]]+", "abc", "a1"),
        ("x[[]y", "x[y", "x]y"),
        ("[a||b]", "|", "ab"),
        (r"\Qa.b*\E.*", "a.b*c", "axb"),
        (r"\Qa.b", "a.b", "axb"),
        (r"a\z", "a", "az"),
        (r"a\\z", r"a\z", "a"),
        ("(?<n>a)+b", "aab", "aa"),
        ("a++b", "aab", "aa"),
        ("(?i)MAIN", "main", "mainx"),
    ],
)
def test_a_pattern_matches_the_whole_text(pattern: str, right: str, wrong: str) -> None:
    assert matches_whole(pattern, right)
    assert not matches_whole(pattern, wrong)


@pytest.mark.parametrize("pattern", ["(", "[", "*", "a{2,1}", "(?P<n>a)(?P<n", "\\"])
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        check_pattern(pattern)


def test_a_pattern_that_explodes_ends_soon() -> None:
    start = time.monotonic()
    with pytest.raises(PatternError, match="too long"):
        matches_whole("(a|aa)+(b|bb)*(a|aa)+$x", "a" * 200)
    assert time.monotonic() - start < 3


@pytest.mark.parametrize(
    "pattern",
    ["(?:" * 30 + "a" + "){2}" * 30, "(" * 60 + "a" + ")+" * 60, "(?:ab){99999999}", "(?:(?:ab){100}){100}"],
)
def test_a_pattern_that_would_fill_the_memory_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError, match="repeats too much"):
        check_pattern(pattern)


def test_signs_that_repeat_nothing_are_no_repetitions() -> None:
    assert matches_whole(r"(a|b)++[](){900}+]*\(\){3}(c{1000}){0,2}", "abab()))")
    assert matches_whole(r"((\d{1,3})\.){3}\d+x{,3}(y){}", "10.0.0.1xxy{}")


def test_no_time_is_no_match() -> None:
    with pytest.raises(SlowPatternError):
        matches_whole("(a)+", "a", 0)
