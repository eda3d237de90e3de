"""What makes no sense is refused in the vendor's way, and changes nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.engine.api_tokens import revoke_token
from penstock.engine.authenticate import authenticate
from penstock.engine.principal import SERVER
from penstock.model.access import Role
from tests.support.circle import APP, CircleSite


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CircleSite]:
    """One site for all, since nobody here changes anything."""
    folder: Path = tmp_path_factory.mktemp("intruders")
    made = CircleSite(f"sqlite:///{folder / 'penstock.db'}", folder)
    made.trigger()
    made.build()
    yield made
    made.close()


def snapshot(site: CircleSite) -> object:
    pipeline = site.lab.every_pipeline()[0]
    return len(site.lab.every_pipeline()), site.lab.workflows(pipeline), site.lab.jobs(pipeline)


def test_a_revoked_token_opens_nothing(site: CircleSite) -> None:
    secret = site.add_person("brief", Role.VIEWER)
    assert site.call("GET", "/api/v2/me", token=secret).status == 200
    principal = authenticate(site.parts, secret)
    assert principal is not None
    revoke_token(site.parts, SERVER, principal.token)
    assert site.call("GET", "/api/v2/me", token=secret).status == 401


def test_a_token_is_read_wherever_clients_put_it(site: CircleSite) -> None:
    basic = "Basic YWRtaW4tdG9rZW4tb2YtdGhlLXRlc3RzOg=="
    for headers in (
        {"circle-token": site.token},
        {"authorization": f"Bearer {site.token}"},
        {"authorization": basic},
    ):
        assert site.send("GET", "/api/v2/me", b"", headers).status == 200
    assert site.ask("GET", f"/api/v2/me?circle-token={site.token}").status == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v2/nothing", 404),
        ("/api/v2/pipeline/not-a-uuid", 400),
        ("/api/v2/pipeline/01a1fedb-a037-7f90-aac7-91fb24075c0c", 404),
        ("/api/v2/project/gh/acme", 404),
        ("/api/v2/project/gh/%2e%2e/app", 400),
        ("/api/v2/project/gh/acme/app%00", 400),
        (f"/api/v2/project/{APP}/pipeline?page-token=garbage", 400),
        (f"/api/v2/project/{APP}/pipeline?page-token=W10", 400),
        (f"/api/v2/project/{APP}/pipeline?page-token=WyJwaXBlbGluZXMvMSIsLTFd", 400),
        ("/api/v2/pipeline?mine=perhaps", 400),
        ("/api/v1.1/recent-builds?limit=x", 400),
        ("/api/v1.1/recent-builds?offset=99999999999999999999", 400),
        (f"/api/v1.1/project/{APP}?filter=odd", 400),
        ("/api/v3/nothing", 404),
    ],
)
def test_what_makes_no_sense_is_answered_in_the_vendor_s_way(
    site: CircleSite, path: str, status: int
) -> None:
    reply = site.call("GET", path)
    assert reply.status == status, reply.body
    assert set(reply.json()) == {"message"}


def test_a_method_that_is_not_known_is_told_which_are(site: CircleSite) -> None:
    reply = site.call("PUT", f"/api/v2/project/{APP}/pipeline")
    assert reply.status == 405
    assert set(reply.json()) == {"message"}
    assert "GET" in reply.headers["allow"]


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" * 200_000, b'"x"', b'{"parameters": ' + b"[" * 150])
def test_a_body_that_is_no_json_of_the_right_form_changes_nothing(site: CircleSite, body: bytes) -> None:
    before = snapshot(site)
    reply = site.send("POST", f"/api/v2/project/{APP}/pipeline", body, {"circle-token": site.token})
    assert reply.status == 400, reply.body
    assert snapshot(site) == before


def test_a_body_that_is_too_large_or_cut_off_changes_nothing(site: CircleSite) -> None:
    before = snapshot(site)
    path, token = f"/api/v2/project/{APP}/pipeline", {"circle-token": site.token}
    assert site.send("POST", path, [b"x" * (1 << 20)] * 3, token).status == 413
    assert site.ask("POST", path, [b'{"branch":'], cut=True, circle_token=site.token).status == 0
    assert snapshot(site) == before
