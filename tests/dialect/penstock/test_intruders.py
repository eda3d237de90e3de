"""Whoever may not, learns nothing and changes nothing, whichever address they ask."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.api.common.route import PUBLIC, Route
from penstock.api.penstock.routes import PREFIX, ROUTES
from penstock.kit.ids import new_id
from penstock.model.access import Role, Scope
from tests.support.own_api import OwnSite
from tests.support.pages import ROOT

PAGE = ROOT / "docs/use/own-api.md"
BODIES = {
    "projects": {"url": "https://github.com/acme/x"},
    "tokens": {"label": "x"},
    "agent-groups": {"name": "x/y"},
    "agent-groups/{id}/tokens": {"label": "x"},
    "projects/{project}": {"name": "x"},
    "projects/{project}/hook/secrets": {},
    "projects/{project}/credentials": {"token": "x"},
    "projects/{project}/statuses": {"host": "gitea", "token": "x"},
    "users": {"login": "x"},
    "users/{user}": {"password": "a-long-password"},
    "organizations": {"slug": "gh/x"},
    "organizations/{organization}": {"name": "x"},
    "organizations/{organization}/members/{user}": {"role": "owner"},
}
GUARDED = [route for route in ROUTES if route.access != PUBLIC]
FOR_ALL = {("POST", "tokens"), ("GET", "users/{user}")}
"""What everybody with an account may do."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnSite]:
    """One site for all, since nobody here changes anything."""
    folder: Path = tmp_path_factory.mktemp("intruders")
    made = OwnSite(f"sqlite:///{folder / 'penstock.db'}", folder)
    made.trigger()
    made.own("POST", "agent-groups", {"name": "a/b", "organization": "gh/acme"}, status=201)
    yield made
    made.close()


def locate(site: OwnSite, route: Route) -> str:
    """An address of the route about what there is."""
    pipeline = site.lab.every_pipeline()[0]
    group = site.own("GET", "agent-groups")["items"][0]["id"]
    owner = {"pipelines": pipeline.uuid, "jobs": site.lab.job(pipeline, "build").uuid, "agent-groups": group}
    path = route.path.removeprefix(f"{PREFIX}/")
    uuid = owner.get(path.partition("/")[0], site.worker.uuid)
    path = path.replace("{id}", uuid).replace("{project}", "gh%2Facme%2Fapp").replace("{token}", new_id())
    return path.replace("{organization}", "gh%2Facme").replace("{user}", "admin")


def body_of(route: Route) -> object:
    return BODIES.get(route.path.removeprefix(f"{PREFIX}/")) if route.body is not None else None


def name_route(route: Route) -> str:
    return f"{route.method} {route.path}"


@pytest.mark.parametrize("route", GUARDED, ids=name_route)
def test_without_a_good_token_there_is_only_one_answer(site: OwnSite, route: Route) -> None:
    for token in ("", "pst_" + "x" * 40, "nonsense"):
        reply = site.ask_own(route.method, locate(site, route), body_of(route), token=token)
        assert (reply.status, reply.json()["message"]) == (401, "a valid token is needed here")


@pytest.mark.parametrize("route", GUARDED, ids=name_route)
def test_a_stranger_finds_nothing(site: OwnSite, route: Route) -> None:
    stranger = site.add_person(f"eve-{new_id()}", None, Scope.ADMIN)
    path = locate(site, route)
    if (route.method, route.path.removeprefix(f"{PREFIX}/")) in FOR_ALL:
        return
    reply = site.ask_own(route.method, path, body_of(route), token=stranger)
    if reply.status == 200 and route.method == "GET" and "{" not in route.path:
        every = reply.json()["items"]
        assert [each for each in every if each.get("label") != "test"] == []
    else:
        assert reply.status in {403, 404}, reply.body
        assert "acme/app" not in reply.body.decode()


@pytest.mark.parametrize("route", [each for each in GUARDED if each.method != "GET"], ids=name_route)
def test_who_may_only_read_changes_nothing(site: OwnSite, route: Route) -> None:
    reader = site.add_person(f"reader-{new_id()}", Role.OWNER, Scope.READ)
    reply = site.ask_own(route.method, locate(site, route), body_of(route), token=reader)
    assert reply.status in {403, 404}, reply.body


def test_the_page_has_every_call_and_no_other() -> None:
    told = re.findall(
        r"^\| `((?:GET|POST|PUT|PATCH|DELETE) \S+)` \| (.+) \|$", PAGE.read_text(), re.MULTILINE
    )
    routed = [(f"{each.method} {each.path.removeprefix(PREFIX)}", each.summary) for each in ROUTES]
    assert told == routed
