"""Cron texts: every field within its bounds is accepted, everything else is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.language.circleci.cron import find_cron_doubt, find_cron_fault

BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


@given(st.tuples(*(st.lists(st.integers(*bounds), min_size=1, max_size=4) for bounds in BOUNDS)))
def test_lists_of_values_within_bounds_are_right(fields: tuple[list[int], ...]) -> None:
    text = " ".join(",".join(map(str, values)) for values in fields)
    assert find_cron_fault(text) == find_cron_doubt(text) == ""


@given(st.integers(0, 4), st.integers(0, 200))
def test_a_value_beyond_its_bounds_is_named(field: int, value: int) -> None:
    words = ["*"] * 5
    words[field] = str(value)
    least, most = BOUNDS[field]
    assert (find_cron_fault(" ".join(words)) == "") is (least <= value <= most)


@given(st.text(max_size=30))
def test_any_text_has_an_answer(text: str) -> None:
    assert find_cron_fault(text) or len(text.split()) == len(BOUNDS)


@pytest.mark.parametrize("text", ["0 0 * * mon-fri", "5,10 1-5 1 JAN *", "0 0 * * 7"])
def test_names_and_ranges_are_right(text: str) -> None:
    assert find_cron_fault(text) == ""


@pytest.mark.parametrize("text", ["", "* * * *", "@daily", "*/0 * * * *", "5-1 * * * *", "1,,2 * * * *"])
def test_what_is_no_cron_text_has_a_fault(text: str) -> None:
    assert find_cron_fault(text)
