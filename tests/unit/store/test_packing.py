"""Frames give back what was packed, and no more than was said."""

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from penstock.model.errors import LimitExceededError
from penstock.store.packing import pack, unpack, unpack_exactly


@given(st.binary(max_size=2000))
def test_what_was_packed_comes_back(data: bytes) -> None:
    assert unpack(pack(data)) == data
    assert unpack_exactly(pack(data), len(data)) == data


@given(data=st.binary(min_size=1, max_size=500), other=st.integers(0, 600))
def test_another_size_than_was_said_is_refused(data: bytes, other: int) -> None:
    size = other if other != len(data) else other + 1
    with pytest.raises(LimitExceededError, match=f"{size} bytes"):
        unpack_exactly(pack(data), size)


def test_a_frame_that_does_not_name_its_size_is_bounded_all_the_same() -> None:
    unnamed = zstandard.ZstdCompressor(write_content_size=False).compress(b"x" * 100_000)
    assert unpack_exactly(unnamed, 100_000) == b"x" * 100_000
    with pytest.raises(LimitExceededError):
        unpack_exactly(unnamed, 99_999)
