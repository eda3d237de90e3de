"""The output of steps: raw, or as v1.1 wraps it in JSON."""

import codecs
from collections.abc import Iterator

import msgspec

from penstock.api.circleci.jobs import open_by_number
from penstock.api.circleci.pipelines import read_number
from penstock.api.circleci.times import show_millis
from penstock.api.circleci.v1.payloads import Output
from penstock.api.common.answer import JSON, TEXT, Answer
from penstock.api.common.call import Call
from penstock.api.common.server import Server
from penstock.engine.access import Action
from penstock.engine.joblog import read_output
from penstock.model.errors import NotFoundError

KINDS = {"output", "error"}
_PLAIN = (("x-content-type-options", "nosniff"),)


def read_raw(server: Server, call: Call) -> Answer:
    """What a step printed, as it did; both streams are in `output`, and `error` is empty."""
    if call.params["kind"] not in KINDS:
        raise NotFoundError("Not found")
    pieces = _read(server, call)
    if call.params["kind"] == "error":
        pieces = iter(())
    return Answer(body=pieces, media=TEXT, headers=_PLAIN)


def read_wrapped(server: Server, call: Call) -> Answer:
    """What a step printed, as JSON, or with `file=true` as it did."""
    pieces = _read(server, call)
    if call.query.file:
        return Answer(body=pieces, media=TEXT, headers=_PLAIN)
    return Answer(body=_wrap(pieces, show_millis(server.parts.clock.now())), media=JSON)


def _read(server: Server, call: Call) -> Iterator[bytes]:
    index, step = read_number(call.params["index"]), read_number(call.params["step"])
    with server.parts.db.read() as tx:
        job = open_by_number(tx, call, Action.SEE_PROJECT).job
        return read_output(server.parts, tx, job, index, step)


def _wrap(pieces: Iterator[bytes], time: str) -> Iterator[bytes]:
    """A JSON list of messages; no character is torn apart between two."""
    decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
    yield b"["
    comma = b""
    for piece in pieces:
        text = decode(piece)
        if text:
            yield comma + msgspec.json.encode(Output(message=text, time=time))
            comma = b","
    yield b"]"
