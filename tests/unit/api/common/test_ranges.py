"""Which part of a download a request asks for."""

from collections.abc import Iterator

import pytest

from penstock.api.common.call import Call
from penstock.api.common.ranges import Span, choose_span, cut_pieces


def ask(**headers: str) -> Call:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Call(request_id="", method="GET", path="/", query_string=b"", raw_headers=raw)


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("bytes=0-3", Span(0, 3)),
        ("bytes=4-", Span(4, 9)),
        ("bytes=-3", Span(7, 9)),
        ("bytes=-99", Span(0, 9)),
        ("bytes=8-99", Span(8, 9)),
        ("bytes = 0 - 0", Span(0, 0)),
    ],
)
def test_one_part_may_be_asked_for(text: str, span: Span) -> None:
    assert choose_span(ask(range=text), 10, '"a"') == span
    assert span.length > 0


@pytest.mark.parametrize("text", ["bytes=10-", "bytes=-0", "bytes=99-100"])
def test_a_part_that_is_not_there_has_no_bytes(text: str) -> None:
    found = choose_span(ask(range=text), 10, '"a"')
    assert found is not None
    assert found.length == 0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "bytes=5-3",
        "bytes=0-1,3-4",
        "lines=0-1",
        "bytes=" + "9" * 40 + "-",
    ],
)
def test_what_is_no_single_part_is_answered_with_everything(text: str) -> None:
    assert choose_span(ask(range=text), 10, '"a"') is None


def test_a_part_of_what_was_replaced_is_answered_with_everything() -> None:
    assert choose_span(ask(range="bytes=0-1", if_range='"a"'), 10, '"a"') == Span(0, 1)
    assert choose_span(ask(range="bytes=0-1", if_range='"b"'), 10, '"a"') is None


def test_pieces_are_cut_and_closed() -> None:
    closed: list[bool] = []

    def pieces() -> Iterator[bytes]:
        try:
            yield from (b"abc", b"def", b"ghi")
        finally:
            closed.append(True)

    assert b"".join(cut_pieces(pieces(), 4)) == b"abcd"
    assert closed == [True]
