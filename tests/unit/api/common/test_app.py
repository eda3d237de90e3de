"""The steps of a request: routing, bounds, guard, decoding, answers, errors; never an exception."""

import asyncio
import gzip
import logging
import threading
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.api.common.answer import Answer, answer_json
from penstock.api.common.call import Call
from penstock.api.common.dialect import Dialect
from penstock.api.common.faults import find_status
from penstock.api.common.server import Limits, Server
from penstock.model.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    LimitExceededError,
    NotFoundError,
    PenstockError,
    RefusedError,
    UnavailableError,
)
from tests.support.http import Person, Site, route


class Wish(msgspec.Struct, frozen=True):
    """A body."""

    name: str
    count: int = 1
    more: object = None


class Page(msgspec.Struct, frozen=True, rename="kebab"):
    """A query."""

    page_token: str = ""
    limit: int = 20
    branch: tuple[str, ...] = ()


DEEP = b'{"name": "n", "more": ' + b"[" * 200 + b"]" * 200 + b"}"


def echo(_server: Server, call: Call) -> dict[str, object]:
    return {"params": call.params, "query": call.query, "payload": call.payload}


async def echo_async(server: Server, call: Call) -> dict[str, object]:
    return echo(server, call)


@pytest.mark.parametrize("handler", [echo, echo_async])
def test_a_handler_gets_what_its_route_declares(handler: object) -> None:
    site = Site([route("/a/{id}", handler, method="POST", query=Page, body=Wish, status=201)])  # type: ignore[arg-type]  # both kinds
    reply = site.ask("POST", "/a/x%2Fy?page-token=t&limit=3&branch=m&branch=n&odd=1", b'{"name": "n"}')
    assert reply.status == 201
    assert reply.json() == {
        "params": {"id": "x/y"},
        "query": {"page-token": "t", "limit": 3, "branch": ["m", "n"]},
        "payload": {"name": "n", "count": 1, "more": None},
    }


@pytest.mark.parametrize(
    ("query", "body", "told"),
    [
        ("limit=many", b'{"name": "n"}', "the query string: Expected 'int', got 'str' - at '$.limit'"),
        ("", b'{"name": 1}', "the body: Expected 'str', got 'int' - at '$.name'"),
        ("", b"{}", "the body: Object missing required field 'name'"),
        ("", b"", "the body is not JSON"),
        ("", b"{", "the body is not JSON"),
        ("", b'{"name": "\xff"}', "the body is not JSON"),
        ("", DEEP, "the body: JSON nested deeper than 100 levels"),
        ("", b'{"name": "\\ud800"}', "the body is not JSON"),
        ("&".join(["a=1"] * 1001), b'{"name": "n"}', "the query string cannot be read"),
    ],
)  # fmt: skip
def test_bad_input_is_told_as_such(query: str, body: bytes, told: str) -> None:
    site = Site([route("/a", echo, method="POST", query=Page, body=Wish)])
    reply = site.ask("POST", f"/a?{query}", body)
    assert (reply.status, reply.json()) == (400, {"message": told})


def test_brackets_in_strings_are_no_nesting() -> None:
    site = Site([route("/a", echo, method="POST", body=Wish)])
    body = msgspec.json.encode({"name": '\\"[' * 500 + "{" * 500})
    assert site.ask("POST", "/a", body).status == 200


@given(st.binary(max_size=300))
@settings(max_examples=150, deadline=None)
def test_no_body_makes_a_server_error(body: bytes) -> None:
    assert SITE.ask("POST", "/a", body).status in {200, 400}


@given(
    st.text(max_size=60), st.text(max_size=60), st.sampled_from(["GET", "POST", "HEAD", "OPTIONS", "BREW"])
)
@settings(max_examples=150, deadline=None)
def test_no_address_makes_a_server_error(path: str, query: str, method: str) -> None:
    target = f"/{path}?{query}".encode("utf-8", "surrogatepass").decode("latin-1")
    assert SITE.ask(method, target, b"{}").status < 500


SITE = Site(
    [
        route("/a", echo, method="POST", body=Wish, query=Page),
        route("/{one}", echo, query=Page),
        route("/b/{rest:rest}", echo),
    ]
)


def test_the_body_may_be_missing_where_it_is_optional() -> None:
    site = Site([route("/a", echo, method="POST", body=Wish, optional=True)])
    assert site.ask("POST", "/a").json()["payload"] is None


def test_unknown_paths_and_methods_are_told_in_the_dialect_of_their_prefix() -> None:
    def show(error: PenstockError) -> Answer:
        return answer_json({"vendor": str(error)}, find_status(error))

    mine = Dialect(
        name="mine", title="", prefixes=("/api/mine",), routes=(route("/api/mine/a", echo),), show_error=show
    )
    rest = Dialect(name="rest", title="", prefixes=("/",), routes=())
    site = Site(dialects=[rest, mine])
    assert site.ask("GET", "/api/mine/b").json() == {"vendor": "there is nothing at this address"}
    assert site.ask("GET", "/api/other").json() == {"message": "there is nothing at this address"}
    wrong = site.ask("DELETE", "/api/mine/a")
    assert (wrong.status, wrong.json()) == (405, {"vendor": "this address knows only GET, HEAD, OPTIONS"})
    options = site.ask("OPTIONS", "/api/mine/a")
    assert (options.status, options.headers["allow"], options.body) == (204, "GET, HEAD, OPTIONS", b"")


def test_head_is_get_without_its_body() -> None:
    site = Site([route("/a", echo)])
    whole, head = site.ask("GET", "/a"), site.ask("HEAD", "/a")
    assert head.body == b""
    assert head.headers["content-length"] == whole.headers["content-length"] == str(len(whole.body))


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotFoundError("x"), 404),
        (InvalidError("x"), 400),
        (RefusedError("x"), 409),
        (ConflictError("x"), 409),
        (ForbiddenError("x"), 403),
        (LimitExceededError("x"), 422),
        (UnavailableError("x"), 503),
    ],
)
def test_errors_of_the_core_have_a_status(error: PenstockError, status: int) -> None:
    def fail(_server: Server, _call: Call) -> None:
        raise error

    reply = Site([route("/a", fail)]).ask("GET", "/a")
    assert (reply.status, reply.json()) == (status, {"message": "x"})


def test_a_fault_of_ours_is_logged_under_the_request_s_id_and_tells_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(_server: Server, _call: Call) -> None:
        raise KeyError("private")

    reply = Site([route("/a", fail)]).ask("GET", "/a", x_request_id="abc-1")
    assert reply.status == 500
    assert b"private" not in reply.body
    assert "abc-1" in caplog.text
    assert "KeyError" in caplog.text


def test_a_guarded_route_wants_a_caller_who_may() -> None:
    people = {"s1": Person("ada", ("read",)), "s2": Person("bob")}
    site = Site([route("/a", echo, access="read")], people=people)
    assert site.ask("GET", "/a").status == 401
    assert site.ask("GET", "/a", x_token="wrong").status == 401
    assert site.ask("GET", "/a", x_token="s2").status == 403
    assert site.ask("GET", "/a", x_token="s1").status == 200


def test_the_guard_comes_before_bad_input() -> None:
    site = Site([route("/a", echo, method="POST", access="read", body=Wish)])
    assert site.ask("POST", "/a", b"no json").status == 401


def test_a_body_past_its_bound_is_refused_before_it_is_read() -> None:
    site = Site([route("/a", echo, method="POST", body=Wish)], limits=Limits(body=10))
    assert site.ask("POST", "/a", b"", content_length="11").status == 413
    assert site.ask("POST", "/a", [b"123456", b"789012"]).status == 413
    assert site.ask("POST", "/a", b"", content_length="-1").status == 400


def test_a_caller_who_stops_in_the_middle_changes_nothing() -> None:
    called: list[Call] = []
    site = Site([route("/a", lambda _s, call: called.append(call), method="POST", body=Wish)])
    assert site.ask("POST", "/a", [b'{"name"'], cut=True).status == 0
    assert called == []
    assert b'status="499"' in site.meter.show()


def test_a_caller_who_waits_in_the_middle_is_sent_away() -> None:
    site = Site([route("/a", echo, method="POST", body=Wish)], limits=Limits(patience=0.01))
    reply = site.ask_slowly("POST", "/a", [b'{"name"'])
    assert (reply.status, reply.json()["message"]) == (
        408,
        "the body came too slowly: nothing for 0.01 s, or hardly anything",
    )


def test_all_bodies_together_are_bounded_and_what_was_held_is_free_again() -> None:
    site = Site([route("/a", echo, method="POST", body=Wish)], limits=Limits(memory=100))
    small, large = b'{"name": "n"}', b'{"name": "' + b"n" * 100 + b'"}'
    assert site.ask("POST", "/a", [large[:60], large[60:]]).status == 503
    for _ in range(20):
        assert site.ask("POST", "/a", small).status == 200
        assert site.ask("POST", "/a", small, cut=True).status == 0


@pytest.mark.parametrize("told", [{"content_length": "70000"}, {"transfer_encoding": "chunked"}])
def test_who_sends_a_large_body_is_known_before_it_is_read(told: dict[str, str]) -> None:
    site = Site([route("/a", echo, method="POST", body=Wish, access="do")])
    assert site.ask("POST", "/a", [b"x" * 1000], cut=True, **told).status == 401
    assert site.ask("POST", "/a", [b"x" * 1000], cut=True).status == 0


def test_a_raw_route_reads_its_body_in_pieces() -> None:
    def measure(_server: Server, call: Call) -> list[int]:
        assert threading.current_thread() is not threading.main_thread()
        return [len(piece) for piece in call.pieces]

    site = Site([route("/a", measure, method="PUT", raw=True, limit=10 << 20)])
    assert site.ask("PUT", "/a", [b"x" * (300 << 10)] * 10).json() == [1228800, 1228800, 614400]
    assert site.ask("PUT", "/a", [b"x" * (6 << 20)] * 2).status == 413


def test_an_answer_may_come_in_pieces_and_is_closed() -> None:
    closed = threading.Event()

    def count() -> Iterator[bytes]:
        try:
            yield from (b"1", b"2", b"3")
        finally:
            closed.set()

    site = Site([route("/a", lambda _s, _c: Answer(body=count(), media="text/plain"))])
    assert site.ask("GET", "/a").body == b"123"
    assert closed.is_set()
    assert site.ask("HEAD", "/a").body == b""


def test_pieces_are_read_no_further_when_nobody_is_there(caplog: pytest.LogCaptureFixture) -> None:
    read: list[int] = []
    closed = threading.Event()

    def count() -> Iterator[bytes]:
        try:
            for number in range(1000):
                read.append(number)
                yield b"x"
        finally:
            closed.set()

    site = Site([route("/a", lambda _s, _c: Answer(body=count(), media="text/plain"))])
    site.ask("GET", "/a", cut=True)
    assert len(read) < 1000
    assert closed.is_set()
    assert caplog.records == []


def test_an_answer_that_breaks_off_is_never_taken_for_whole(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> Iterator[bytes]:
        yield b"1"
        raise UnavailableError("the blob store is away")

    site = Site([route("/a", lambda _s, _c: Answer(body=fail(), media="text/plain"))])
    with pytest.raises(UnavailableError):
        site.ask("GET", "/a")
    assert "its answer broke off" in caplog.text


def test_a_held_answer_is_given_up_when_the_caller_goes() -> None:
    ended: list[str] = []

    async def hold(_server: Server, _call: Call) -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise
        return "never"

    async def answer(_server: Server, _call: Call) -> str:
        return "at once"

    site = Site([route("/a", hold, held=True), route("/b", answer, held=True)])
    assert site.ask("GET", "/a", cut=True).status == 0
    assert ended == ["cancelled"]
    assert site.ask("GET", "/b").json() == "at once"
    assert "penstock_request_seconds_count" not in site.meter.show().decode()


def test_large_answers_are_compressed_for_those_who_ask() -> None:
    text = "word " * 2000
    site = Site([route("/a", lambda _s, _c: text), route("/b", lambda _s, _c: "short")])
    plain = site.ask("GET", "/a")
    packed = site.ask("GET", "/a", accept_encoding="br, gzip;q=0.5")
    assert msgspec.json.decode(gzip.decompress(packed.body)) == plain.json() == text
    assert (packed.headers["content-encoding"], plain.headers["vary"]) == ("gzip", "accept-encoding")
    assert "content-encoding" not in site.ask("GET", "/a", accept_encoding="gzip;q=0").headers
    assert "content-encoding" not in site.ask("GET", "/b", accept_encoding="gzip").headers


def test_more_than_may_wait_is_turned_away() -> None:
    site = Site([route("/a", echo)], limits=Limits(threads=1, waiting=-1))
    reply = site.ask("GET", "/a")
    assert (reply.status, reply.headers["retry-after"]) == (503, "2")


def test_a_request_has_one_line_in_the_log_without_its_query(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "penstock.request")
    site = Site([route("/a/{id}", echo, access="read")], people={"s1": Person("ada", ("read",))})
    reply = site.ask("GET", "/a/7?apiToken=hunter2", x_token="s1")
    [record] = [each for each in caplog.records if each.name == "penstock.request"]
    facts = record.facts  # type: ignore[attr-defined]  # what we put there
    assert facts["ms"] >= 0
    assert facts | {"ms": 0} == {
        "method": "GET", "path": "/a/7", "route": "/a/{id}", "status": 200, "ms": 0,
        "request": reply.headers["x-request-id"], "peer": "127.0.0.1", "caller": "ada",
    }  # fmt: skip


def test_an_id_that_is_no_plain_word_is_replaced() -> None:
    site = Site([route("/a", echo)])
    assert site.ask("GET", "/a", x_request_id="a1:b").headers["x-request-id"] == "a1:b"
    assert site.ask("GET", "/a", x_request_id="a b").headers["x-request-id"] != "a b"


def test_requests_are_counted_by_the_template_of_their_route() -> None:
    site = Site([route("/a/{id}", echo)])
    for number in range(3):
        site.ask("GET", f"/a/{number}")
    site.ask("GET", "/nothing/here")
    shown = site.meter.show().decode()
    assert 'penstock_requests_total{method="GET",route="/a/{id}",status="200"} 3.0' in shown
    assert 'penstock_requests_total{method="",route="none",status="404"} 1.0' in shown


def test_two_routes_of_one_address_are_refused() -> None:
    with pytest.raises(ValueError, match="GET /a is routed twice"):
        Site([route("/a", echo), route("/a", echo_async)])
