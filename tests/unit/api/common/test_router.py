"""Paths find their routes, encoded or not."""

import pytest

from penstock.api.common.faults import UnknownPathError, WrongMethodError
from penstock.api.common.router import Router

ROUTER = Router(
    [
        ("GET", path, path)
        for path in (
            "/",
            "/me",
            "/{id}",
            "/project/{slug:3}",
            "/project/{slug:3}/env",
            "/project/{slug:3}/job/{number}",
            "/project/{slug:3}/env/{name}",
            "/files/{path:rest}",
        )
    ]
)


@pytest.mark.parametrize(
    ("path", "found", "params"),
    [
        ("/", "/", {}),
        ("/me", "/me", {}),
        ("/m%65", "/{id}", {"id": "me"}),
        ("/a%20b", "/{id}", {"id": "a b"}),
        ("/project/gh/acme/app", "/project/{slug:3}", {"slug": "gh/acme/app"}),
        ("/project/gh%2Facme%2Fapp", "/project/{slug:3}", {"slug": "gh/acme/app"}),
        ("/project/gh%2facme%2fapp/env", "/project/{slug:3}/env", {"slug": "gh/acme/app"}),
        ("/project/gh/acme/env", "/project/{slug:3}", {"slug": "gh/acme/env"}),
        ("/project/gh/acme/env/env", "/project/{slug:3}/env", {"slug": "gh/acme/env"}),
        ("/project/gh/a/b/job/7", "/project/{slug:3}/job/{number}", {"slug": "gh/a/b", "number": "7"}),
        ("/project/gh%2Fa%2Fb/env/A%2FB", "/project/{slug:3}/env/{name}", {"slug": "gh/a/b", "name": "A/B"}),
        ("/files/a", "/files/{path:rest}", {"path": "a"}),
        ("/files/a/b%20c/d", "/files/{path:rest}", {"path": "a/b c/d"}),
    ],
)  # fmt: skip
def test_a_path_finds_its_route(path: str, found: str, params: dict[str, str]) -> None:
    match = ROUTER.find("GET", path)
    assert (match.target, match.params) == (found, params)


@pytest.mark.parametrize(
    "path",
    [
        "", "*", "//", "/me/", "/project/gh/acme", "/project/gh%2Facme", "/project/gh//app",
        "/project/gh%2F%2Fapp/x", "/files/", "/files/../a", "/files/a/%2e%2e/b",
        "/files/a%2F..%2Fb", "/files/a//b",
    ],
)  # fmt: skip
def test_other_paths_are_unknown(path: str) -> None:
    with pytest.raises(UnknownPathError):
        ROUTER.find("GET", path)


def test_head_finds_what_get_does_and_others_are_told_what_there_is() -> None:
    assert ROUTER.find("HEAD", "/me").target == "/me"
    with pytest.raises(WrongMethodError) as caught:
        ROUTER.find("POST", "/me")
    assert caught.value.allowed == ("GET", "HEAD", "OPTIONS")
