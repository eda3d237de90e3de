"""Lines of the log: one a message, whatever is in it."""

import logging

import msgspec
import pytest

from penstock.bootstrap.journal import LineFormatter
from penstock.bootstrap.settings import Format
from penstock.kit.trace import REQUEST


def line_of(style: Format, message: str, facts: dict[str, object] | None = None) -> str:
    record = logging.LogRecord("penstock", logging.INFO, "file", 1, message, None, None)
    record.created = 0.5
    if facts:
        record.facts = facts
    return LineFormatter(style).format(record)


def test_a_line_of_logfmt_quotes_what_is_no_plain_word() -> None:
    line = line_of("logfmt", "two words", {"path": "/a", "odd": 'a"b\nlevel=error', "none": ""})
    assert line == (
        'ts=1970-01-01T00:00:00.500Z level=info msg="two words" path=/a odd="a\\"b\\nlevel=error" none=""'
    )


def test_a_line_of_json_is_one_object() -> None:
    line = line_of("json", "two\nwords", {"status": 200})
    assert "\n" not in line
    assert msgspec.json.decode(line) == {
        "ts": "1970-01-01T00:00:00.500Z", "level": "info", "msg": "two\nwords", "status": 200,
    }  # fmt: skip


def test_lines_of_a_request_have_its_id() -> None:
    token = REQUEST.set("abc")
    try:
        assert line_of("logfmt", "x").endswith("msg=x request=abc")
    finally:
        REQUEST.reset(token)


@pytest.mark.parametrize("style", ["logfmt", "json"])
def test_a_traceback_stays_on_its_line(style: Format) -> None:
    with pytest.raises(KeyError) as caught:
        msgspec.json.decode(b"{}")["x"]
    error = (caught.type, caught.value, caught.tb)
    record = logging.LogRecord("penstock", logging.ERROR, "f", 1, "failed", None, error)
    line = LineFormatter(style).format(record)
    assert "\n" not in line
    assert "KeyError" in line
