"""JSON is laid out for those who ask for text, and for nobody else."""

import pytest

from penstock.api.common.answer import Answer, answer_text
from tests.support.http import Site, route

SITE = Site([
    route("/a", lambda _server, _call: {"a": [1, {"b": "é"}]}),
    route("/text", lambda _server, _call: answer_text("{}")),
    route("/parts", lambda _server, _call: Answer(body=iter([b"[", b"]"]))),
])  # fmt: skip


def test_text_is_json_with_line_breaks() -> None:
    reply = SITE.ask("GET", "/a", accept="text/plain")
    assert reply.body.decode() == '{\n  "a": [\n    1,\n    {\n      "b": "é"\n    }\n  ]\n}'
    assert reply.headers["content-type"].startswith("text/plain")
    assert reply.headers["content-length"] == str(len(reply.body))


def test_errors_are_laid_out_too() -> None:
    assert SITE.ask("GET", "/nothing", accept="text/plain").body.startswith(b"{\n")


@pytest.mark.parametrize("accept", ["", "*/*", "application/json", "application/json, text/plain, */*"])
def test_everybody_else_gets_it_compact(accept: str) -> None:
    reply = SITE.ask("GET", "/a", accept=accept)
    assert reply.body.decode() == '{"a":[1,{"b":"é"}]}'
    assert reply.headers["content-type"] == "application/json"


@pytest.mark.parametrize(("path", "body"), [("/text", b"{}"), ("/parts", b"[]")])
def test_what_is_no_whole_json_stays_as_it_is(path: str, body: bytes) -> None:
    assert SITE.ask("GET", path, accept="text/plain").body == body
