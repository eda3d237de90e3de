import pytest

from textkit import shorten


def test_a_short_text_stays():
    assert shorten("short", 10) == "short"


@pytest.mark.parametrize("width", range(1, 30))
def test_the_result_is_never_wider(width):
    assert len(shorten("a longer sentence with several words", width)) <= width


def test_the_cut_is_made_between_words():
    assert shorten("one two three", 8) == "one two…"


def test_there_must_be_room_for_the_mark():
    with pytest.raises(ValueError, match="no room"):
        shorten("text", 2, mark="...")
