import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.agent import mask
from penstock.agent.mask import MOST_ADDED, STARS, Mask, Secrets, can_overlap, choose_secrets
from penstock.model.errors import LimitExceededError

FEW_LETTERS = st.binary(min_size=1, max_size=6).map(lambda data: bytes(b"ab"[byte % 2] for byte in data))
SECRETS = st.lists(FEW_LETTERS.filter(lambda data: len(data) >= 2), min_size=1, max_size=4, unique=True)
STREAM = st.binary(max_size=40).map(lambda data: bytes(b"abc"[byte % 3] for byte in data))


def mask_in_pieces(secrets: list[bytes], data: bytes, cuts: list[int]) -> bytes:
    mask = Mask(secrets)
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    parts = [mask.feed(data[start:end]) for start, end in pairwise(places)]
    return b"".join([*parts, mask.flush()])


@given(SECRETS, STREAM, st.lists(st.integers(0, 100), max_size=8))
def test_any_cut_of_the_stream_gives_leftmost_longest_matches(
    secrets: list[bytes], data: bytes, cuts: list[int]
) -> None:
    ordered = sorted(secrets, key=len, reverse=True)
    expected = re.sub(b"|".join(map(re.escape, ordered)), STARS, data)
    assert mask_in_pieces(secrets, data, cuts) == expected


@given(st.lists(st.integers(0, 200), max_size=10))
def test_secrets_that_never_overlap_take_the_fast_way_to_the_same_result(cuts: list[int]) -> None:
    secrets = [b"hunter2-first", b"0123456789", b"quux\nline"]
    data = b"a hunter2-first b 0123456789 c quux\nline d 012345678 e hunter2-firs"
    assert mask_in_pieces(secrets, data, cuts) == b"a **** b **** c **** d 012345678 e hunter2-firs"


def test_what_may_become_a_secret_is_held_back_and_nothing_else() -> None:
    mask = Mask([b"secret"])
    assert mask.feed(b"the sec") == b"the "
    assert mask.feed(b"ond ") == b"second "
    assert mask.flush() == b""


def test_a_beginning_at_the_end_of_the_stream_is_shown() -> None:
    mask = Mask([b"secret"])
    assert mask.feed(b"sec") == b""
    assert mask.flush() == b"sec"


@pytest.mark.parametrize("value", ["", "abc", "true", "True", "false", "False"])
def test_values_that_would_hide_ordinary_text_are_no_secrets(value: str) -> None:
    assert choose_secrets([value]) == ()


def test_secrets_are_chosen_once_and_longest_first() -> None:
    assert choose_secrets(["four", "longer", "four", "é€é€"]) == ("é€é€".encode(), b"longer", b"four")


def test_a_secret_that_is_learnt_late_is_masked_from_then_on() -> None:
    mask = Mask([])
    assert mask.feed(b"token tok") == b"token tok"
    mask.learn([b"token"])
    assert mask.feed(b"token tok") == b"**** "
    mask.learn([b"token", b"tokyo"])
    assert mask.feed(b"yo") == STARS
    assert mask.flush() == b""


def test_secrets_grow_and_keep_what_they_had() -> None:
    secrets = Secrets(["first", "ab"])
    before = secrets.values
    secrets.add("a longer one")
    secrets.add("x")
    assert (before, secrets.values) == ((b"first",), (b"a longer one", b"first"))


def test_a_job_cannot_add_secrets_without_end() -> None:
    secrets = Secrets(["first"])
    for number in range(MOST_ADDED):
        secrets.add(f"token {number}")
    with pytest.raises(LimitExceededError, match=str(MOST_ADDED)):
        secrets.add("one more")
    assert len(secrets.values) == MOST_ADDED + 1


def test_a_mask_compares_with_the_others_only_what_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs: list[tuple[bytes, bytes]] = []

    def count(one: bytes, other: bytes) -> bool:
        pairs.append((one, other))
        return can_overlap(one, other)

    known = [b"%03dx" % number for number in range(100)]
    learning = Mask(known)
    monkeypatch.setattr(mask, "can_overlap", count)
    learning.learn([*known, b"more"])
    assert len(pairs) <= 101
    learning.learn([*known, b"more", b"stored more"])
    assert learning.feed(b"I stored more mo") + learning.flush() == b"I **** mo"


@given(one=st.binary(min_size=1, max_size=6), other=st.binary(min_size=1, max_size=6))
def test_secrets_that_can_share_bytes_are_known_as_such(one: bytes, other: bytes) -> None:
    small = bytes(byte % 2 for byte in one), bytes(byte % 2 for byte in other)
    lengths = range(1, min(map(len, small)) + (small[0] != small[1]))
    contained = small[0] != small[1] and (small[0] in small[1] or small[1] in small[0])
    ends = any(small[0].endswith(small[1][:n]) or small[1].endswith(small[0][:n]) for n in lengths)
    assert can_overlap(*small) == (contained or ends)
