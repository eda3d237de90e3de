"""The end of a prefix bounds all texts that start with it, and no other, in order of UTF-8 bytes."""

from hypothesis import given
from hypothesis import strategies as st

from penstock.store.caches import end_of_prefix

text = st.text(alphabet=st.sampled_from("ab\x7f\u07ff\ud7ff\ue000\uffff\U0010ffff"), max_size=4)


@given(prefix=text, other=text)
def test_a_text_is_in_the_range_exactly_when_it_starts_with_the_prefix(prefix: str, other: str) -> None:
    end = end_of_prefix(prefix)
    below = end is None or other.encode() < end.encode()
    assert (prefix.encode() <= other.encode() and below) == other.startswith(prefix)
