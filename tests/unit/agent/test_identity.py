"""What a job that asks for an identity token is told."""

import json

import pytest

from penstock.agent.identity import MOST_BYTES, answer_wish
from penstock.agent.mask import MOST_ADDED, Secrets
from penstock.agent.reply import Errand, Reply, answer
from penstock.model.errors import NotFoundError, UnavailableError
from penstock.wire.messages import Minted, TokenWish
from tests.support.transport import FakeServer


def ask(server: FakeServer, told: list[str] | None = None, **body: object) -> Reply:
    hear = (told if told is not None else []).append
    return answer_wish(server, "t", hear, json.dumps(body).encode())


def test_a_token_is_told_to_the_mask_and_to_the_job() -> None:
    server, told = FakeServer(), list[str]()
    wanted = json.dumps({"aud": ["a", "b"]})
    assert ask(server, told, claims=wanted, root_issuer=True, ttl="5m") == Reply(
        status=200, message="eyJ.eyJ.sig"
    )
    assert told == ["eyJ.eyJ.sig"]
    assert server.token_wishes == [TokenWish(audience=("a", "b"), root=True, ttl="5m")]


def test_a_token_that_cannot_be_masked_any_more_is_not_given_to_the_job() -> None:
    secrets = Secrets(())
    for number in range(MOST_ADDED):
        secrets.add(f"token {number}")
    reply = answer_wish(FakeServer(), "t", secrets.add, b"{}")
    assert reply.status == 400
    assert "eyJ" not in reply.message


def test_what_is_not_asked_for_is_as_usual() -> None:
    server = FakeServer()
    assert ask(server).status == 200
    assert ask(server, claims=" ").status == 200
    assert server.token_wishes == [TokenWish(), TokenWish()]


def test_a_refusal_is_no_secret() -> None:
    server, told = FakeServer(), list[str]()
    server.minted = Minted(status=403, text="not for forks")
    assert ask(server, told) == Reply(status=403, message="not for forks")
    assert told == []


@pytest.mark.parametrize(
    "claims", ["{", "[]", "1", '{"sub": "x"}', '{"aud": 1}', '{"aud": {}}', "\ud800", '{"aud": ["\\ud800"]}']
)
def test_claims_that_cannot_be_are_refused(claims: str) -> None:
    reply = ask(FakeServer(), claims=claims)
    assert reply.status == 400
    assert reply.message.startswith("--claims must be JSON like")


@pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b'{"claims": 1}', b" " * (MOST_BYTES + 1)])
def test_a_body_that_is_no_request_is_refused(body: bytes) -> None:
    assert answer_wish(FakeServer(), "t", print, body).status == 400


@pytest.mark.parametrize(
    ("trouble", "status"), [(UnavailableError("away"), 503), (NotFoundError("no such task"), 400)]
)
def test_a_server_that_does_not_help_is_told(
    trouble: UnavailableError | NotFoundError, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("penstock.agent.continuation.PAUSE", 0.001)
    server = FakeServer()
    server.trouble = trouble
    assert ask(server) == Reply(status=status, message=str(trouble))


def test_a_server_that_is_away_for_a_moment_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("penstock.agent.continuation.PAUSE", 0.001)
    calls: list[TokenWish] = []

    class Flaky(FakeServer):
        def mint_token(self, task: str, wish: TokenWish) -> Minted:
            calls.append(wish)
            if len(calls) < 3:
                raise UnavailableError("it starts again")
            return super().mint_token(task, wish)

    assert ask(Flaky()).status == 200
    assert len(calls) == 3


def test_a_fault_of_ours_is_an_answer_too(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(FakeServer):
        def mint_token(self, task: str, wish: TokenWish) -> Minted:
            del task, wish
            raise ZeroDivisionError

    assert ask(Broken()) == Reply(status=500, message="internal error (ZeroDivisionError)")
    assert "cannot be handled" in caplog.text


def test_who_may_not_ask_is_told_so() -> None:
    reply = answer({}, Errand.IDENTITY, b"{}")
    assert reply.status == 403
    assert "gets no identity tokens" in reply.message
