"""Text from outside is made storable and nothing else is changed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.store.columns import clean_text


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\x00")))
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert clean_text(text) == text


@given(st.text(alphabet=st.characters(categories=["Cs", "L", "Cc"])))
def test_whatever_comes_can_be_stored_afterwards(text: str) -> None:
    cleaned = clean_text(text)
    assert "\x00" not in cleaned
    assert cleaned.encode().decode() == cleaned


@pytest.mark.parametrize(("text", "expected"), [("a\x00b", "a\ufffdb"), ("a\udcffb", "a\ufffdb"), ("", "")])
def test_what_no_database_takes_is_replaced(text: str, expected: str) -> None:
    assert clean_text(text) == expected
