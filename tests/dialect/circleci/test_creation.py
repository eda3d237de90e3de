"""Projects and organizations are made and deleted as clients of CircleCI's API do it."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from penstock.engine.launch import CommitFacts, Ref
from penstock.engine.removal import sweep
from penstock.kit.short_ids import shorten_id
from penstock.model.access import Role
from penstock.model.project import Project
from tests.support.circle import APP, CircleSite

NEW = "project/gh/acme/new.js"


def test_a_slug_is_enough_to_make_a_project_of_a_known_host(site: CircleSite) -> None:
    settings = site.post(NEW, None, 201)
    assert settings["advanced"]["set_github_status"] is True
    assert settings == site.get(f"{NEW}/settings")
    made = site.get(NEW)
    assert (made["slug"], made["name"]) == ("gh/acme/new.js", "new.js")
    assert made["vcs_info"]["vcs_url"] == "https://github.com/acme/new.js"
    site.post("project/gh/acme/new.js/pipeline", {}, 201)
    source = site.worker.claim(1)[0].source
    assert source is not None
    assert source.url == "https://github.com/acme/new.js.git"


@pytest.mark.parametrize(
    ("slug", "url"),
    [
        ("github/acme/a", "https://github.com/acme/a"),
        ("bb/acme/b", "https://bitbucket.org/acme/b"),
        ("gitlab%2Facme%2Fteam%2Fc", "https://gitlab.com/acme/team/c"),
    ],
)
def test_every_spelling_of_a_host_leads_there(site: CircleSite, slug: str, url: str) -> None:
    site.post(f"project/{slug}", None, 201)  # an administrator of the server makes its organization too
    assert site.get(f"project/{slug}")["vcs_info"]["vcs_url"] == url


def test_what_there_is_already_is_not_made_again(site: CircleSite) -> None:
    before = site.get(f"project/{APP}")
    assert set(site.post(f"project/{APP}", None, 409)) == {"message"}
    assert site.get(f"project/{APP}") == before
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: site.call("POST", f"/api/v2/{NEW}").status, range(4)))
    assert sorted(found) == [201, 409, 409, 409]


def test_projects_of_a_new_organization_are_made_at_once(site: CircleSite) -> None:
    def make(name: str) -> int:
        return site.call("POST", f"/api/v2/project/gh/fresh/{name}").status

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(make, "abcdefgh")) == {201}


@pytest.mark.parametrize("slug", ["circleci/acme/x", "git.example.com/acme/x"])
def test_a_host_without_an_address_has_no_projects_to_make(site: CircleSite, slug: str) -> None:
    reply = site.call("POST", f"/api/v2/project/{slug}")
    assert reply.status == 405
    assert "git_hosts" in reply.json()["message"]
    assert reply.headers["allow"] == "GET, DELETE"


@pytest.mark.parametrize(
    "slug", ["gh/acme/..", "gh/acme/a%20b", "gh/acme/%00", "gh/acme/" + "x" * 300, "gh/acme/%ff"]
)
def test_what_is_no_slug_makes_nothing(site: CircleSite, slug: str) -> None:
    assert site.call("POST", f"/api/v2/project/{slug}").status in {400, 404}


def test_members_make_projects_and_viewers_do_not(site: CircleSite) -> None:
    site.post(NEW, None, 403, token=site.add_person("vera", Role.VIEWER))
    member = site.add_person("mia", Role.MEMBER)
    site.post(NEW, None, 201, token=member)
    site.post("project/gh/elsewhere/x", None, 404, token=member)


@pytest.mark.parametrize("place", ["gh/acme", "gh%2Facme", "{id}"])
def test_an_organization_gets_a_project_of_its_host(site: CircleSite, place: str) -> None:
    made = site.post(f"organization/{place.format(id=site.acme.uuid)}/project", {"name": "fresh"}, 200)
    assert made == site.get("project/gh/acme/fresh")
    assert made["vcs_info"]["vcs_url"] == "https://github.com/acme/fresh"
    assert made["organization_id"] == site.acme.uuid


def test_an_address_may_be_given(site: CircleSite) -> None:
    body = {"name": "fresh", "url": "ssh://git@git.example.com/x.git"}
    made = site.post("organization/gh%2Facme/project", body, 200)
    assert made["vcs_info"]["vcs_url"] == "ssh://git.example.com/x"
    for url in ("ext::sh", "-oProxyCommand=x", "https://me:pw@github.com/a/b", "x" * 3000, "git://host/x"):
        site.post("organization/gh%2Facme/project", {"name": "more", "url": url}, 400)
    site.succeed("GET", "/api/v2/project/gh/acme/more", None, 404)


def test_an_organization_of_no_host_has_projects_that_get_their_source_later(site: CircleSite) -> None:
    owner = site.post("organization", {"name": "My team", "vcs_type": "circleci"}, 201)
    assert (owner["vcs_type"], owner["slug"]) == ("circleci", f"circleci/{shorten_id(owner['id'])}")
    made = site.post(f"organization/{owner['id']}/project", {"name": "A thing"}, 200)
    assert made["slug"].startswith(f"{owner['slug']}/")
    assert site.get(f"project/{made['slug']}") == made
    for page in ("settings", "envvar", "checkout-key", "pipeline"):
        site.get(f"project/{made['slug']}/{page}")
    site.post(f"project/{made['slug']}/checkout-key", {"type": "deploy-key"}, 400)
    site.succeed("POST", f"/api/v1.1/project/{made['slug']}/follow", None, 200)
    site.succeed("GET", "/api/v1.1/projects", None, 200)
    site.succeed("PATCH", f"/api/v2/project/{made['slug']}/settings", {"advanced": {"oss": True}}, 400)


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"name": ""},
        {"name": 7},
        {"name": "a/b"},
        {"name": "x" * 300},
        {"name": "a\0"},
        {"name": None},
    ],
)
def test_what_is_no_name_of_a_project_is_refused(site: CircleSite, body: object) -> None:
    assert set(site.post("organization/gh%2Facme/project", body, 400)) == {"message"}


def test_a_deleted_project_is_gone_for_good(site: CircleSite) -> None:
    site.post(f"project/{APP}/envvar", {"name": "WORD", "value": "old value"}, 201)
    site.post(f"project/{APP}/checkout-key", {"type": "deploy-key"}, 201)
    site.post(f"project/{APP}/pipeline", {}, 201)
    member = site.add_person("mia", Role.MEMBER)
    site.succeed("DELETE", f"/api/v2/project/{APP}", None, 403, token=member)
    assert set(site.succeed("DELETE", f"/api/v2/project/{APP}", None, 200)) == {"message"}
    for path in ("", "/settings", "/envvar", "/checkout-key", "/pipeline"):
        site.succeed("GET", f"/api/v2/project/{APP}{path}", None, 404)
    site.succeed("DELETE", f"/api/v2/project/{APP}", None, 404)
    site.post(f"project/{APP}", None, 201)
    assert site.get(f"project/{APP}/envvar")["items"] == []
    assert site.get(f"project/{APP}/checkout-key")["items"] == []
    sweep(site.parts)
    assert site.get(f"project/{APP}/pipeline")["items"] == []


def test_a_project_deleted_while_its_commit_is_fetched_gets_no_pipeline(
    site: CircleSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.post(NEW, None, 201)
    resolve, swept = site.code.resolve, iter([False, True])

    def delete_meanwhile(project: Project, ref: Ref) -> CommitFacts:
        site.succeed("DELETE", f"/api/v2/{NEW}", None, 200)
        if next(swept):
            sweep(site.parts)
        return resolve(project, ref)

    monkeypatch.setattr(site.code, "resolve", delete_meanwhile)
    site.post(f"{NEW}/pipeline", {}, 404)
    assert site.worker.claim(1) == ()
    site.post(NEW, None, 201)
    site.post(f"{NEW}/pipeline", {}, 404)


def test_organizations_are_made_and_deleted(site: CircleSite) -> None:
    made = site.post("organization", {"name": "fresh", "vcs_type": "bitbucket"}, 201)
    assert made == {"id": made["id"], "name": "fresh", "slug": "bb/fresh", "vcs_type": "bitbucket"}
    assert site.get("organization/bb/fresh") == made
    site.post("organization", {"name": "fresh", "vcs_type": "bitbucket"}, 409)
    site.post("organization/bb/fresh/project", {"name": "x"}, 200)
    assert set(site.succeed("DELETE", f"/api/v2/organization/{made['id']}", None, 202)) == {"message"}
    for path in ("organization/bb/fresh", "project/bb/fresh/x"):
        site.succeed("GET", f"/api/v2/{path}", None, 404)
    site.succeed("DELETE", "/api/v2/organization/bb/fresh", None, 404)


def test_only_its_owners_delete_an_organization_and_only_the_server_s_make_one(site: CircleSite) -> None:
    admin, owner = site.add_person("ada", Role.ADMIN), site.add_person("olga", Role.OWNER)
    site.succeed("DELETE", "/api/v2/organization/gh%2Facme", None, 403, token=admin)
    site.post("organization", {"name": "mine", "vcs_type": "github"}, 403, token=owner)
    site.succeed("DELETE", "/api/v2/organization/gh/acme", None, 202, token=owner)
    site.succeed("GET", f"/api/v2/project/{APP}", None, 404)


@pytest.mark.parametrize(
    "body",
    [{}, {"name": "x"}, {"name": "x", "vcs_type": "gitlab"}, {"name": "", "vcs_type": "github"},
     {"name": "a b", "vcs_type": "github"}, {"name": "x", "vcs_type": 7}],
)  # fmt: skip
def test_what_is_no_organization_is_refused(site: CircleSite, body: Any) -> None:  # noqa: ANN401 - whatever may come
    assert set(site.post("organization", body, 400)) == {"message"}
