"""Encodings of reports, and what no XML may hold but runners write."""

from io import BufferedReader, BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.ingest.junit import read_junit
from penstock.ingest.text import CleanText


def names(data: bytes) -> list[str]:
    return [case.name for case in read_junit(BytesIO(data))]


def report(name: str, declaration: str = '<?xml version="1.0"?>') -> str:
    return f'{declaration}<testsuite><testcase name="{name}"/></testsuite>'


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [
        ("utf-8", ""),
        ("utf-8-sig", "utf-8"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "UTF-16"),
        ("utf-16-be", "UTF-16"),
        ("utf-32", "utf-32"),
        ("latin-1", "ISO-8859-1"),
        ("cp1252", "windows-1252"),
        ("utf-8", "utf-16"),
        ("utf-8", "UTF8"),
    ],
)
def test_an_encoding_is_known_by_its_mark_or_its_name(encoding: str, declared: str) -> None:
    said = f' encoding="{declared}"' if declared else ""
    text = report("Müller", f'<?xml version="1.0"{said}?>')
    assert names(text.encode(encoding)) == ["Müller"]


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        (b"\x1b[31mred\x1b[0m", "[31mred[0m"),
        (b"a\x00b", "ab"),
        (b"&#x1b;[1m&#27;&#0;&#xD800;&#99999999999;x", "[1mx"),
        (b"&#x1F600;&#65;", "\U0001f600A"),
        (b"\xff\xfe-", "\ufffd\ufffd-"),
        ("￾x".encode(), "x"),
    ],
)
def test_what_xml_forbids_is_left_out(raw: bytes, read: str) -> None:
    assert names(report("NAME").encode().replace(b"NAME", raw)) == [read]


def test_blanks_before_the_declaration_do_no_harm() -> None:
    assert names(b"\n  " + report("a", '<?xml version="1.0" encoding="latin-1"?>').encode()) == ["a"]


def test_an_expanding_document_type_is_refused_without_delay() -> None:
    layers = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 20))
    bomb = f'<!DOCTYPE b [<!ENTITY l0 "ha">{layers}]><testsuite name="&l19;"/>'
    with pytest.raises(ValueError, match="entity declarations are refused"):
        names(bomb.encode())


def test_a_plain_document_type_is_no_fault() -> None:
    assert names(report("a", '<!DOCTYPE testsuite SYSTEM "junit.dtd">').encode()) == ["a"]


@given(st.text(), st.integers(1, 5))
def test_the_result_does_not_depend_on_how_it_is_read(text: str, size: int) -> None:
    data = text.encode("utf-8", "replace")
    whole = BufferedReader(CleanText(BytesIO(data))).read()
    cleaned, pieces = CleanText(BytesIO(data)), []
    while piece := cleaned.read(size):
        pieces.append(piece)
    assert b"".join(pieces) == whole


def test_a_reference_across_the_end_of_a_piece_is_seen() -> None:
    name = "x" * (1024 - len('<?xml version="1.0"?><testsuite><testcase name="') - 3) + "&#x1b;&#x41;end"
    assert names(report(name).encode())[0].endswith("xAend")
