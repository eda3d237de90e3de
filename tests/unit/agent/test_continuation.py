"""What a job that continues its pipeline is told."""

import json

import pytest

from penstock.agent.continuation import MOST_BYTES, answer_request
from penstock.agent.reply import Reply
from penstock.model.errors import RefusedError, UnavailableError
from penstock.wire.messages import Continue, Continued
from tests.support.transport import FakeServer

GOOD = {"continuation-key": "k", "configuration": "version: 2.1", "parameters": {"a": 1, "b": "x", "c": True}}


def test_the_body_goes_to_the_server_and_its_answer_comes_back() -> None:
    server = FakeServer()
    server.continued = Continued(status=400, message="no")
    assert answer_request(server, "t", json.dumps(GOOD).encode()) == Reply(status=400, message="no")
    (wish,) = server.wishes
    assert (wish.key, wish.configuration, wish.parameters) == ("k", "version: 2.1", GOOD["parameters"])


@pytest.mark.parametrize("parameters", [{}, {"parameters": None}, {"parameters": {}, "more": 1}])
def test_parameters_may_be_missing(parameters: dict[str, object]) -> None:
    server = FakeServer()
    body = {"continuation-key": "k", "configuration": "c", **parameters}
    assert answer_request(server, "t", json.dumps(body).encode()).status == 200
    assert server.wishes[0].parameters == {}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"configuration": "c"}',
        b'{"continuation-key": 1, "configuration": "c"}',
        b'{"continuation-key": "k", "configuration": "c", "parameters": {"a": [1]}}',
        b'{"continuation-key": "k", "configuration": "c", "parameters": {"a": 1.5}}',
    ],
)
def test_a_malformed_body_is_refused_here(body: bytes) -> None:
    server = FakeServer()
    answer = answer_request(server, "t", body)
    assert answer.status == 400
    assert answer.message.startswith("The request is malformed")
    assert server.wishes == []


def test_a_huge_body_is_refused_here() -> None:
    server = FakeServer()
    assert answer_request(server, "t", b"x" * (MOST_BYTES + 1)).status == 413
    assert server.wishes == []


def test_what_the_server_finally_refuses_is_said() -> None:
    server = FakeServer()
    server.trouble = RefusedError("not with me")
    answer = answer_request(server, "t", json.dumps(GOOD).encode())
    assert (answer.status, answer.message) == (400, "not with me")


class Flaky(FakeServer):
    """Away for the first two requests, and for ever when told so."""

    def __init__(self, *, stays: bool) -> None:
        super().__init__()
        self.stays = stays
        self.asked: list[str] = []

    def continue_pipeline(self, task: str, wish: Continue) -> Continued:
        self.asked.append(wish.request)
        if self.stays or len(self.asked) < 3:
            raise UnavailableError("the database is too busy at present")
        return super().continue_pipeline(task, wish)


@pytest.mark.parametrize(("stays", "status"), [(False, 200), (True, 503)])
def test_a_server_that_is_away_is_asked_again_for_a_while_under_one_name(
    stays: bool,  # noqa: FBT001 - a parameter of the test
    status: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("penstock.agent.continuation.PAUSE", 0.001)
    server = Flaky(stays=stays)
    assert answer_request(server, "t", json.dumps(GOOD).encode()).status == status
    assert len(server.asked) >= 3
    assert len(set(server.asked)) == 1


class Broken(FakeServer):
    def continue_pipeline(self, task: str, wish: Continue) -> Continued:
        del task, wish
        raise ZeroDivisionError


def test_a_fault_of_ours_is_an_answer_too(caplog: pytest.LogCaptureFixture) -> None:
    answer = answer_request(Broken(), "t", json.dumps(GOOD).encode())
    assert (answer.status, answer.message) == (500, "internal error (ZeroDivisionError)")
    assert "cannot be handled" in caplog.text
