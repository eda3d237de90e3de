"""Sending: what is delivered, what is tried again and when, what never will be."""

import json
import socket
import time

import pytest

from penstock.forge.host import Host
from penstock.forge.status.notice import Notice, State
from penstock.forge.status.request import Place, Request
from penstock.forge.status.send import Outcome, classify_answer, find_wait, send_request
from penstock.forge.status.word import word_notice
from tests.support.answers import Answer, serve_answers

NOW = 1_760_000_000.0
TOKEN = "t0ken-of-the-host"


def make_request(address: str, host: Host = Host.GITHUB) -> Request:
    place = Place(host=host, api=address, repository="acme/app", token=TOKEN)
    notice = Notice(
        commit="b2" * 20, context="ci/circleci: build", state=State.SUCCESS, url="https://ci.example"
    )
    return word_notice(place, notice)


@pytest.mark.parametrize("host", list(Host))
def test_a_status_arrives_as_it_was_worded(host: Host) -> None:
    with serve_answers() as server:
        server.answer = Answer(201, {}, b"{}")
        request = make_request(server.address, host)
        assert send_request(request, now=NOW).outcome is Outcome.DELIVERED
    (asked,) = server.asked
    assert (asked.method, f"{server.address}{asked.path}") == ("POST", request.url)
    assert json.loads(asked.body) == json.loads(request.body)
    assert TOKEN in asked.headers.get("authorization", "") + asked.headers.get("private-token", "")
    assert asked.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("status", "headers", "outcome", "wait"),
    [
        (200, {}, Outcome.DELIVERED, 0),
        (204, {}, Outcome.DELIVERED, 0),
        (301, {"location": "https://elsewhere.example"}, Outcome.FINAL, 0),
        (400, {}, Outcome.FINAL, 0),
        (401, {}, Outcome.FINAL, 0),
        (403, {}, Outcome.FINAL, 0),
        (404, {}, Outcome.FINAL, 0),
        (422, {}, Outcome.FINAL, 0),
        (408, {}, Outcome.RETRY, 0),
        (429, {}, Outcome.RETRY, 60),
        (429, {"retry-after": "17"}, Outcome.RETRY, 17),
        (403, {"retry-after": "5"}, Outcome.RETRY, 5),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1760000090"}, Outcome.RETRY, 90),
        (403, {"x-ratelimit-remaining": "0"}, Outcome.RETRY, 60),
        (403, {"x-ratelimit-remaining": "4000", "x-ratelimit-reset": "1760000090"}, Outcome.FINAL, 0),
        (500, {}, Outcome.RETRY, 0),
        (503, {"retry-after": "Thu, 09 Oct 2025 08:53:50 GMT"}, Outcome.RETRY, 30),
        (503, {"retry-after": "99999999"}, Outcome.RETRY, 3600),
        (503, {"retry-after": "whenever"}, Outcome.RETRY, 0),
        (503, {"retry-after": "-5"}, Outcome.RETRY, 0),
    ],
)
def test_an_answer_says_whether_and_when_to_try_again(
    status: int, headers: dict[str, str], outcome: Outcome, wait: float
) -> None:
    sent = classify_answer(status, headers, b"some\n words", NOW)
    assert (sent.outcome, sent.status, sent.wait) == (outcome, status, wait)


def test_a_date_that_has_passed_is_no_wait() -> None:
    assert find_wait({"retry-after": "Thu, 01 Jan 1970 00:00:00 GMT"}, NOW) == 0


def test_what_gitlab_has_already_is_delivered() -> None:
    said = b'{"message":"Cannot transition status via :run from :running (Reason(s): ...)"}'
    assert classify_answer(400, {}, said, NOW).outcome is Outcome.DELIVERED


def test_a_redirect_is_not_followed_with_the_token() -> None:
    with serve_answers() as thief, serve_answers() as server:
        server.answer = Answer(307, {"Location": thief.address})
        assert send_request(make_request(server.address), now=NOW).outcome is Outcome.FINAL
    assert thief.asked == []


def test_the_token_is_in_no_message_even_when_the_host_repeats_it() -> None:
    with serve_answers() as server:
        server.answer = Answer(401, {}, f"bad token {TOKEN}".encode())
        sent = send_request(make_request(server.address), now=NOW)
    assert sent.message == "bad token ****"


def test_only_the_beginning_of_a_long_answer_is_kept() -> None:
    with serve_answers() as server:
        server.answer = Answer(400, {}, b"x" * 5_000_000)
        sent = send_request(make_request(server.address), now=NOW)
    assert sent.message == "x" * 200


def test_a_host_that_never_comes_to_an_end_is_cut_off() -> None:
    with serve_answers() as server:
        server.answer = Answer(drip=True)
        begun = time.monotonic()
        sent = send_request(make_request(server.address), now=NOW, seconds=0.5)
    assert (sent.outcome, sent.status) == (Outcome.RETRY, 0)
    assert "within" in sent.message
    assert time.monotonic() - begun < 10


def test_a_host_that_says_nothing_or_is_not_there_is_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        sent = send_request(make_request(address), now=NOW, seconds=0.3)
        assert sent.outcome is Outcome.RETRY
    sent = send_request(make_request(address), now=NOW)
    assert sent.outcome is Outcome.RETRY
    assert "does not answer" in sent.message
    assert TOKEN not in sent.message


def test_only_addresses_of_the_web_are_asked() -> None:
    for address in ("file:///etc/passwd#", "ftp://host", ""):
        assert send_request(make_request(address), now=NOW).outcome is Outcome.FINAL


@pytest.mark.parametrize("token", ["line\nbreak-of-token", "caf\u20ac-token"])
def test_a_token_that_can_be_none_is_not_repeated(token: str) -> None:
    request = make_request("http://127.0.0.1:1")
    odd = Request(
        method="POST", url=request.url, headers={"Authorization": f"Bearer {token}"}, body=request.body
    )
    sent = send_request(odd, now=NOW)
    assert sent.outcome in {Outcome.FINAL, Outcome.RETRY}
    assert token not in sent.message
    assert "token" not in sent.message.replace("with this token", "")
