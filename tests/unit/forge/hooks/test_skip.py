"""Marks in a message by which a commit asks for no pipeline."""

import pytest

from penstock.forge.hooks.skip import find_skip, split_message


@pytest.mark.parametrize(
    ("subject", "body", "mark"),
    [
        ("[skip ci] docs", "", "[skip ci]"),
        ("docs", "words\n[ci skip]", "[ci skip]"),
        ("x" * 241 + "[skip ci]", "", "[skip ci]"),
        ("x" * 242 + "[skip ci]", "", ""),
        ("docs", "x" * 242 + "[skip ci]", ""),
        ("x" * 300, "[skip ci]", "[skip ci]"),
        ("skip ci", "[skip  ci]", ""),
        ("", "", ""),
    ],
)
def test_a_mark_counts_at_the_beginning_of_title_or_body(subject: str, body: str, mark: str) -> None:
    assert find_skip(subject, body) == mark


@pytest.mark.parametrize(
    ("message", "parts"),
    [
        ("one", ("one", "")),
        ("one\n\ntwo\n\nthree\n", ("one", "two\n\nthree")),
        ("one\ntwo\n\nthree", ("one two", "three")),
        ("\n\none\n", ("one", "")),
    ],
)
def test_a_message_is_parted_as_git_does(message: str, parts: tuple[str, str]) -> None:
    assert split_message(message) == parts
