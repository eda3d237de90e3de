"""A project is found in every spelling of its slug, on every route, and nothing else is."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.api.circleci.routes import ROUTES
from penstock.api.common.route import Route
from penstock.kit.short_ids import shorten_id
from tests.support.circle import APP, CircleSite

MAKES = ("POST", "/api/v2/project/{slug:3}")
"""Makes a project with the slug, so one that nobody has yet is right."""

NAMED = [route for route in ROUTES if "{slug:3}" in route.path and (route.method, route.path) != MAKES]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CircleSite]:
    """One site for all; a pipeline of it has run."""
    folder: Path = tmp_path_factory.mktemp("slugs")
    made = CircleSite(f"sqlite:///{folder / 'penstock.db'}", folder)
    made.trigger()
    made.build()
    yield made
    made.close()


def locate(route: Route, slug: str) -> str:
    path = route.path.replace("{slug:3}", slug).replace("{branch:rest}", "main")
    if path.endswith("/pipeline/{number}"):
        path = path.replace("{number}", "1")
    for name, value in {"number": "1", "kind": "output", "index": "0", "step": "0"}.items():
        path = path.replace(f"{{{name}}}", value)
    return path


@pytest.mark.parametrize(
    "route", [each for each in NAMED if each.method == "GET"], ids=lambda each: each.path
)
def test_all_spellings_have_one_answer(site: CircleSite, route: Route) -> None:
    owner, project = site.acme.uuid, site.project.uuid
    want = site.call("GET", locate(route, APP))
    assert want.status in {200, 404}, want.body
    for slug in (
        "github/acme/app", "gh%2Facme%2Fapp", "gh%2facme%2fapp", "github%2Facme%2Fapp", "GH/acme/app",
        "g%68/acme/app", f"circleci/{owner}/{project}", f"circleci%2F{owner}%2F{project}",
        f"circleci/{shorten_id(owner)}/{shorten_id(project)}",
    ):  # fmt: skip
        reply = site.call("GET", locate(route, slug))
        assert (reply.status, reply.body) == (want.status, want.body), slug


@pytest.mark.parametrize("route", NAMED, ids=lambda each: f"{each.method} {each.path}")
def test_what_is_no_slug_of_a_project_is_refused(site: CircleSite, route: Route) -> None:
    for slug in (
        "gh/../app", "gh/%2e%2e/app", "gh/acme/%2e%2e", "gh/acme/..%2f..%2fapp", "%2e%2e/%2e%2e/%2e%2e",
        "gh/acme/app%00", "gh/acme/app%0a", "gh/acme/%ff", "gh/acme/app%3Fx", "gh/acme/a%5Cb",
        "gh/acme/none", "gh/none/app", "bb/acme/app", "svn/acme/app", f"gh/acme/{'x' * 500}",
        f"circleci/{site.project.uuid}/{site.project.uuid}", f"circleci/{site.acme.uuid}/{site.acme.uuid}",
        "circleci/x/y", "%2F%2F", "gh//app",
    ):  # fmt: skip
        reply = site.call(route.method, locate(route, slug))
        assert reply.status in {400, 404, 405}, (slug, reply.status, reply.body)
        assert set(reply.json()) == {"message"}
        assert len(reply.body) < 200
