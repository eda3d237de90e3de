"""Whoever may not, learns nothing and changes nothing, whatever they ask and however."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.api.circleci.routes import ROUTES
from penstock.api.common.route import PUBLIC, Route
from penstock.engine.access import Action
from penstock.engine.api_tokens import revoke_token
from penstock.engine.authenticate import authenticate
from penstock.engine.principal import SERVER
from penstock.kit.ids import new_id
from penstock.model.access import Role, Scope
from tests.support.circle import APP, CircleSite

GUARDED = [route for route in ROUTES if route.access != PUBLIC]
INSIDE = {Action.SEE_PROJECT, Action.RUN_PIPELINE, Action.SEE_ORGANIZATION, Action.FOLLOW_PROJECT}
OWN = ("/api/v2/pipeline", "/api/v1.1/recent-builds")
"""Lists of what the caller sees anyway."""

PRIVATE = [route for route in GUARDED if route.access in INSIDE and route.path not in OWN]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CircleSite]:
    """One site for all, since nobody here changes anything."""
    folder: Path = tmp_path_factory.mktemp("intruders")
    made = CircleSite(f"sqlite:///{folder / 'penstock.db'}", folder)
    made.trigger()
    made.build()
    yield made
    made.close()


def locate(site: CircleSite, route: Route, *, real: bool = True) -> str:
    """An address of the route about what there is, or about nothing."""
    pipeline = site.lab.every_pipeline()[0]
    workflow, job = site.lab.workflow(pipeline), site.lab.job(pipeline, "build")
    owner = {"v2/pipeline/": pipeline.uuid, "v2/workflow/": workflow.uuid, "/job": job.uuid}
    uuid = next((value for part, value in owner.items() if part in route.path), new_id())
    values = {
        "{slug:3}": APP if real else "gh/acme/none",
        "{slug:2}": "gh/acme" if real else "gh/none",
        "{slug}": "gh%2Facme" if real else "gh%2Fnone",
        "{id}": uuid if real else new_id(),
        "{project_id}": site.project.uuid if real else new_id(),
        "{number}": str(job.number),
        "{request}": site.lab.job(pipeline, "hold").uuid if real else new_id(),
        "{branch:rest}": "main",
        "{path:rest}": "out/a%20b.html",
        "{kind}": "output",
        "{step}": "0",
        "{index}": "0",
    }
    path = route.path
    for name, value in values.items():
        path = path.replace(name, value)
    return path


def name_route(route: Route) -> str:
    return f"{route.method} {route.path}"


def snapshot(site: CircleSite) -> object:
    pipeline = site.lab.every_pipeline()[0]
    return len(site.lab.every_pipeline()), site.lab.workflows(pipeline), site.lab.jobs(pipeline)


@pytest.mark.parametrize("route", GUARDED, ids=name_route)
def test_without_a_good_token_there_is_only_one_answer(site: CircleSite, route: Route) -> None:
    before = snapshot(site)
    path = locate(site, route)
    for headers in (
        {},
        {"circle-token": "pst_" + "x" * 40},
        {"authorization": "Bearer nonsense"},
        {"authorization": "Basic !!!"},
        {"authorization": "Basic bm9uc2Vuc2U6"},
        {"circle-token": "x" * 10_000},
        {"circle-token": "\u00e9"},
    ):
        reply = site.send(route.method, path, b"", headers)
        assert reply.status == 401, (path, reply.body)
        assert reply.json() == {"message": "You must log in first."}
    assert site.ask(route.method, f"{path}?circle-token=wrong").status == 401
    assert snapshot(site) == before


@pytest.mark.parametrize("route", PRIVATE, ids=name_route)
def test_to_an_outsider_things_are_as_if_they_were_not(site: CircleSite, route: Route) -> None:
    outsider = site.add_person(f"o{new_id()}")
    before = snapshot(site)
    body = {"from_failed": True} if route.path.endswith("rerun") else {}
    real = site.call(route.method, locate(site, route), body, token=outsider)
    unreal = site.call(route.method, locate(site, route, real=False), body, token=outsider)
    assert real.status == unreal.status == 404, (real.body, unreal.body)
    assert real.body == unreal.body
    assert snapshot(site) == before


@pytest.mark.parametrize(
    "route", [route for route in GUARDED if route.access == Action.RUN_PIPELINE], ids=name_route
)
def test_who_only_looks_cannot_run(site: CircleSite, route: Route) -> None:
    before = snapshot(site)
    viewer = site.add_person(f"v{new_id()}", Role.VIEWER)
    reader = site.add_person(f"r{new_id()}", Role.MEMBER, Scope.READ)
    for token in (viewer, reader):
        reply = site.call(route.method, locate(site, route), {}, token=token)
        assert reply.status == 403, reply.body
        assert set(reply.json()) == {"message"}
    assert snapshot(site) == before


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


@pytest.mark.parametrize(
    "body", [b"{", b"\xff", b"[" * 200_000, b'"x"', b"null", b'{"parameters": ' + b"[" * 150]
)
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
