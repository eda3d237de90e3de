"""A UUID in a slug is short, of one length, and read back."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.kit.short_ids import LENGTH, expand_id, shorten_id


@given(st.uuids())
def test_what_was_shortened_is_read_back(uuid: UUID) -> None:
    text = shorten_id(str(uuid))
    assert len(text) == LENGTH
    assert text.isalnum()
    assert expand_id(text) == str(uuid)


@given(st.text(max_size=30))
def test_other_text_is_no_id_or_the_only_spelling_of_one(text: str) -> None:
    uuid = expand_id(text)
    assert uuid is None or shorten_id(uuid) == text


@pytest.mark.parametrize("text", ["", "a", "z" * 22, "0" * 21, "0" * 23, "٣" * 22, "0" * 21 + "-"])
def test_what_is_no_id_gives_none(text: str) -> None:
    assert expand_id(text) is None
