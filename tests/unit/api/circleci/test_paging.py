"""Page tokens come back as they were given, and nothing else is taken for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.api.circleci.paging import cut_page, read_token, write_token
from penstock.model.errors import InvalidError

PLACES = st.text(max_size=20)
NUMBERS = st.integers(0, (1 << 62) - 1)


@given(place=PLACES, key=NUMBERS)
def test_a_token_comes_back_as_it_was(place: str, key: int) -> None:
    assert read_token(write_token(place, key), place, int) == key


@given(place=PLACES, key=st.tuples(NUMBERS, st.text(max_size=20)))
def test_a_token_may_hold_more_than_a_number(place: str, key: tuple[int, str]) -> None:
    assert read_token(write_token(place, key), place, tuple[int, str]) == key


@given(text=st.text(min_size=1, max_size=60))
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidError):
        read_token(text, "list", int)


@given(key=st.integers(max_value=-1) | st.integers(min_value=1 << 62) | st.text() | st.none())
def test_a_key_no_row_can_have_is_refused(key: object) -> None:
    with pytest.raises(InvalidError):
        read_token(write_token("list", key), "list", int)


@given(place=PLACES, other=PLACES, key=NUMBERS)
def test_a_token_is_good_for_its_own_list_only(place: str, other: str, key: int) -> None:
    if place != other:
        with pytest.raises(InvalidError):
            read_token(write_token(place, key), other, int)


def test_no_token_is_no_key() -> None:
    assert read_token("", "list", int) is None


def test_the_last_page_has_no_token() -> None:
    assert cut_page([1, 2], 2, "list", int) == ([1, 2], None)
    kept, token = cut_page([1, 2, 3], 2, "list", int)
    assert (kept, read_token(token or "", "list", int)) == ([1, 2], 2)
