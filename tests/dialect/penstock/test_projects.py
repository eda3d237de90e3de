"""Projects are made of repositories, listed, changed and deleted."""

import pytest

from penstock.model.access import Role, Scope
from tests.support.own_api import OwnSite

WEB = {"url": "git@github.com:acme/web.git"}


def test_a_project_is_called_as_its_repository_is(site: OwnSite) -> None:
    made = site.own("POST", "projects", WEB, status=201)
    assert (made["slug"], made["name"], made["organization"]) == ("gh/acme/web", "web", "gh/acme")
    assert made["default_branch"] == "main"
    assert site.get(f"project/{made['address']}")["id"] == made["id"]
    for spelling in (made["id"], "gh%2Facme%2Fweb", "github%2Facme%2Fweb"):
        assert site.own("GET", f"projects/{spelling}") == made


@pytest.mark.parametrize(
    ("url", "slug"),
    [
        ("https://gitlab.com/group/team/app.git", "gl/group/team/app"),
        ("https://git.example.com/acme/app", "git.example.com/acme/app"),
        ("/srv/git/tool.git", "local/tool"),
    ],
)
def test_an_organization_that_is_missing_is_made_for_an_administrator(
    site: OwnSite, url: str, slug: str
) -> None:
    made = site.own("POST", "projects", {"url": url}, status=201)
    assert made["slug"] == slug
    again = site.own("POST", "projects", {"url": url.replace("app", "other"), "name": "other"}, status=201)
    assert again["organization_id"] == made["organization_id"]


def test_who_is_no_administrator_puts_projects_only_where_they_belong(site: OwnSite) -> None:
    token = site.add_person("ann", Role.MEMBER)
    assert site.own("POST", "projects", WEB, status=201, token=token)["slug"] == "gh/acme/web"
    reply = site.ask_own("POST", "projects", {"url": "https://github.com/other/app"}, token=token)
    assert (reply.status, "no such organization" in reply.json()["message"]) == (404, True)
    viewer = site.add_person("eve", Role.VIEWER)
    assert site.ask_own("POST", "projects", {"url": "https://github.com/acme/x"}, token=viewer).status == 403


def test_a_project_that_is_there_is_said_to_be(site: OwnSite) -> None:
    site.own("POST", "projects", WEB, status=201)
    assert site.own("POST", "projects", WEB, status=409)["message"].startswith(
        "there is a project gh/acme/web"
    )


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"url": ""},
        {"url": "--upload-pack=x"},
        {"url": "https://me:secret@github.com/acme/x"},
        {"url": "https://github.com/acme/x", "name": "../y"},
        {"url": "https://github.com/acme/x", "organization": "nonsense"},
        {"url": "https://github.com/acme/x", "default_branch": "-x"},
        {"url": "https://github.com/acme/x", "branch": "misspelt"},
        {"url": 5},
    ],
)
def test_what_can_be_no_project_is_refused(site: OwnSite, body: dict[str, object]) -> None:
    assert site.own("POST", "projects", body, status=400)["message"]
    assert [each["slug"] for each in site.own("GET", "projects")["items"]] == ["gh/acme/app"]


def test_the_project_of_a_checkout_is_found_by_its_remote(site: OwnSite) -> None:
    remotes = ("https://github.com/acme/app", "git@github.com:acme/app.git", "ssh://git@github.com/acme/app/")
    for remote in remotes:
        [found] = site.own("GET", f"projects?url={remote}")["items"]
        assert found["slug"] == "gh/acme/app"
    for remote in ("https://github.com/acme/none", "https://gitlab.com/acme/app", "nonsense", "%00"):
        assert site.own("GET", f"projects?url={remote}")["items"] == []
    stranger = site.add_person("eve")
    assert site.own("GET", f"projects?url={remotes[0]}", token=stranger)["items"] == []


def test_projects_come_in_pages_and_only_those_one_sees(site: OwnSite) -> None:
    for name in ("c", "a", "b"):
        site.add_project(name)
    slugs, after = list[str](), ""
    while True:
        page = site.own("GET", f"projects?limit=2&after={after}")
        slugs += [each["slug"] for each in page["items"]]
        if page["next"] is None:
            break
        after = page["next"]
    assert slugs == ["gh/acme/a", "gh/acme/app", "gh/acme/b", "gh/acme/c"]
    assert site.own("GET", "projects", token=site.add_person("eve"))["items"] == []
    of_acme = site.own("GET", "projects?organization=gh/acme", token=site.add_person("ann", Role.VIEWER))
    assert len(of_acme["items"]) == 4


def test_a_project_is_changed(site: OwnSite) -> None:
    changed = site.own(
        "PATCH",
        f"projects/{site.project.uuid}",
        {"name": "new", "default_branch": "trunk", "settings": {"autocancel_builds": True}},
    )
    assert (changed["slug"], changed["default_branch"]) == ("gh/acme/new", "trunk")
    assert changed["settings"] == {"autocancel_builds": True}
    wrong = site.own("PATCH", f"projects/{site.project.uuid}", {"settings": {"none": 1}}, status=400)
    assert "none" in wrong["message"]
    reader = site.add_person("ann", Role.MEMBER, Scope.READ)
    path = f"projects/{site.project.uuid}"
    assert site.ask_own("PATCH", path, {"name": "x"}, token=reader).status == 403


def test_a_deleted_project_is_gone(site: OwnSite) -> None:
    site.own("DELETE", f"projects/{site.project.uuid}", status=204)
    assert site.ask_own("GET", f"projects/{site.project.uuid}").status == 404
    assert site.own("GET", "projects")["items"] == []


def test_secrets_of_webhooks_are_made_and_replaced(site: OwnSite) -> None:
    path = "projects/gh%2Facme%2Fapp/hook"
    address = f"http://ci.example.com/hooks/{site.project.uuid}"
    assert site.own("GET", path) == {"url": address, "secrets": []}
    first = site.own("POST", f"{path}/secrets", status=201)
    given = site.own("POST", f"{path}/secrets", {"secret": "a-secret-of-mine"}, status=201)
    assert given["secret"] == "a-secret-of-mine"
    assert [each["id"] for each in site.own("GET", path)["secrets"]] == [first["id"], given["id"]]
    assert "a-secret-of-mine" not in str(site.own("GET", path))
    for _ in range(8):
        site.own("POST", f"{path}/secrets", status=201)
    last = site.own("POST", f"{path}/secrets", {"replace": True}, status=201)
    assert [each["id"] for each in site.own("GET", path)["secrets"]] == [last["id"]]
    site.own("DELETE", f"{path}/secrets/{last['id']}", status=204)
    assert site.own("GET", path)["secrets"] == []
    member = site.add_person("ann", Role.MEMBER)
    assert site.ask_own("GET", path, token=member).status == 403


def test_no_organization_is_made_for_a_project_that_cannot_be(site: OwnSite) -> None:
    body = {"url": "https://github.com/fresh/app", "name": "a b"}
    assert "a name may have" in site.own("POST", "projects", body, status=400)["message"]
    site.own("GET", "organizations/gh%2Ffresh", status=404)
    made = site.own("POST", "projects", body | {"name": "app"}, status=201)
    assert made["organization"] == "gh/fresh"
