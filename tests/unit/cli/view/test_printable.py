"""Texts of jobs, made fit to be shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.cli.view.printable import clean_line, clean_lines


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ümläut 🎉", "plain ümläut 🎉"),
        ("a\x1b[31mred\x1b[0m", "ared"),
        ("a\x1b[2J\x1b[1;1Hb", "ab"),
        ("\x1b]0;title\x07a\x1b]8;;http://x\x1b\\b", "ab"),
        ("a\x1bP1;2qimage\x1b\\b", "ab"),
        ("a\x1b(Bb\x1b7\x1b=", "ab"),
        ("10%\r50%\r100%\r\n", "100%"),
        ("a\tb\nc", "a b c"),
        ("a\x07\x08\x0b\x7f\x9bb", "ab"),
        ("a\u202eb\u2028c", "abc"),
        ("ends in the middle \x1b", "ends in the middle "),
        ("ends in the middle \x1b[3", "ends in the middle 3"),
        ("", ""),
    ],
)
def test_a_line_is_what_a_terminal_would_leave_of_it(text: str, shown: str) -> None:
    assert clean_line(text) == shown


def test_colours_stay_where_they_are_wanted_and_end_with_the_line() -> None:
    assert clean_line("a\x1b[1;31mred\x1b[2J", colors=True) == "a\x1b[1;31mred\x1b[0m"
    assert clean_line("\x1b[32mok\x1b[0m", colors=True) == "\x1b[32mok\x1b[0m"
    assert clean_line("plain", colors=True) == "plain"


def test_a_text_has_the_lines_that_end_with_newlines() -> None:
    assert clean_lines("a\rb\nc\x0bd\n\ne") == ["b", "cd", "", "e"]
    assert clean_lines("a\n") == ["a"]
    assert clean_lines("") == []


@given(st.text())
def test_nothing_that_steers_is_left(text: str) -> None:
    assert not set(clean_line(text)) & {"\x1b", "\r", "\n", "\x07", "\x08", "\x9b"}
    colored = clean_line(text, colors=True)
    assert clean_line(colored) == clean_line(text)
