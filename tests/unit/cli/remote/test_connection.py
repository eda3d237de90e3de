from contextlib import closing

import msgspec
import pytest

from penstock.cli.remote import connection as module
from penstock.cli.remote.connection import Connection, check_token, check_url
from penstock.model.errors import (
    ForbiddenError,
    InvalidError,
    NotFoundError,
    PenstockError,
    RefusedError,
    UnavailableError,
)
from tests.support.canned import saying, with_body


def ask(answer: bytes) -> bytes:
    with saying(answer) as server:
        return get(server.url)


def get(url: str) -> bytes:
    with closing(Connection(url, "secret")) as connection:
        return connection.ask("GET", "/x").body


def test_an_answer_is_read_and_the_token_sent() -> None:
    with (
        saying(with_body(b'{"a": 1}')) as server,
        closing(Connection(f"{server.url}/below/", "secret")) as connection,
    ):
        reply = connection.ask("POST", "/x", {"b": 2}, query={"c": "d e"})
    assert (reply.status, reply.body) == (200, b'{"a": 1}')
    [asked] = server.asked
    assert asked.startswith(b"POST /below/x?c=d+e HTTP/1.1\r\n")
    assert b"Authorization: Bearer secret\r\n" in asked


@pytest.mark.parametrize(
    ("status", "kind", "part"),
    [
        ("401 Unauthorized", ForbiddenError, "does not know the token"),
        ("403 Forbidden", ForbiddenError, "no red"),
        ("404 Not Found", NotFoundError, "no"),
        ("400 Bad Request", RefusedError, "no"),
        ("429 Too Many Requests", UnavailableError, "answers 429"),
        ("500 Internal Server Error", UnavailableError, "answers 500"),
        ("302 Found", UnavailableError, "sends on to https://elsewhere.example.com"),
    ],
)
def test_a_refusal_is_one_clean_sentence(status: str, kind: type[PenstockError], part: str) -> None:
    body = msgspec.json.encode({"message": "no \x1b[2J\x1b[31mred\r\n\x07\u202e" + "x" * 5000})
    with pytest.raises(kind) as caught:
        ask(with_body(body, status=status, extra=b"Location: https://elsewhere.example.com\x1b[2J\r\n"))
    told = str(caught.value)
    assert part in told
    assert told.isprintable()
    assert len(told) < 1000


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 999999 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 300 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000,
        b"\x16\x03\x01\x00\xa5\x01",
    ],
)
def test_an_answer_that_is_none_is_said(answer: bytes) -> None:
    with saying(answer) as server, pytest.raises(UnavailableError, match=f"^{server.url} "):
        get(server.url)


@pytest.mark.parametrize("path", ["/ü", "/a b", "/a\r\nX: y", "no-slash", "/\x00"])
def test_what_cannot_be_asked_for_is_not(path: str) -> None:
    with saying(with_body(b"{}")) as server, closing(Connection(server.url, "secret")) as connection:
        with pytest.raises(UnavailableError, match="makes no sense"):
            connection.ask("GET", path)
        assert server.asked == []


def test_an_answer_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 1000)
    assert len(ask(with_body(b"x" * 1000))) == 1000
    with pytest.raises(UnavailableError, match="more than"):
        ask(with_body(b"x" * 1001))


def test_a_download_that_is_cut_is_said() -> None:
    with saying(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort") as server:
        connection = Connection(server.url, "secret")
        with closing(connection), pytest.raises(UnavailableError, match="broke off"):
            list(connection.download("/x"))


def test_nobody_there_is_said() -> None:
    with saying(b"") as server:
        pass
    with pytest.raises(UnavailableError, match="no server listens there"):
        get(server.url)


def test_who_speaks_no_tls_is_said() -> None:
    with saying(with_body(b"{}")) as server, pytest.raises(UnavailableError, match="http://"):
        get(server.url.replace("http:", "https:"))


def test_a_proxy_is_asked_where_the_environment_names_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with saying(with_body(b"{}", status="502 Bad Gateway")) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        with pytest.raises(UnavailableError):
            get("http://ci.example.com:81")
        assert proxy.asked[0].startswith(b"CONNECT ci.example.com:81 ")
        assert b"secret" not in proxy.asked[0]
        with pytest.raises(UnavailableError):
            get("http://127.0.0.1:1")
        assert len(proxy.asked) == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ci.example.com",
        "ftp://x",
        "http://",
        "http://a b",
        "http://u:p@x",
        "http://x/?q",
        "http://x:99999",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidError):
        check_url(text)


def test_addresses_are_even() -> None:
    assert check_url("https://ci.example.com/") == "https://ci.example.com"
    assert check_url("http://[::1]:8080/below/") == "http://[::1]:8080/below"


@pytest.mark.parametrize("text", ["a b", "a\r\nX: y", "ü", "\x00"])
def test_what_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(InvalidError):
        check_token(text)


def test_a_closed_connection_is_opened_again_for_reads() -> None:
    with saying(with_body(b"{}")) as server:
        connection = Connection(server.url, "secret")
        for _ in range(3):  # the server closes after each answer
            assert connection.ask("GET", "/x").body == b"{}"
        assert len(server.asked) == 3
        connection.close()
