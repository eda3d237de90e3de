"""Accounts, organizations and who belongs to them, through the calls that change them."""

from typing import Any

import pytest

from penstock.model.access import Role, Scope
from tests.support.own_api import OwnSite

PASSWORD = "correct horse"


def add_user(site: OwnSite, login: str, **more: object) -> Any:  # noqa: ANN401 - JSON
    return site.own("POST", "users", {"login": login, "password": PASSWORD, **more}, status=201)


def log_in(site: OwnSite, login: str, password: str = PASSWORD, *, status: int = 201) -> Any:  # noqa: ANN401 - JSON
    return site.own("POST", "login", {"login": login, "password": password}, status=status, token="")


def test_an_account_is_entered_with_its_password(site: OwnSite) -> None:
    made = add_user(site, "ada", name="Ada")
    assert (made["login"], made["name"], made["admin"], made["disabled_at"]) == ("ada", "Ada", False, None)
    secret = log_in(site, "ada")["secret"]
    assert site.own("GET", "users/ada", token=secret) == made
    assert log_in(site, "ada", "wrong horse", status=401)["message"]
    assert log_in(site, "nobody", status=401)["message"]


def test_who_guesses_is_slowed_down(site: OwnSite) -> None:
    add_user(site, "ada")
    tries = [
        site.ask_own("POST", "login", {"login": "ada", "password": f"guess {number}"}, token="").status
        for number in range(30)
    ]
    assert set(tries) == {401, 429}
    assert tries[0] == 401
    assert tries[-1] == 429


def test_what_can_be_no_account_is_refused(site: OwnSite) -> None:
    add_user(site, "ada")
    for body, status in [
        ({"login": "Ada"}, 409),
        ({"login": "-x"}, 400),
        ({"login": "bob", "password": "short"}, 400),
        ({"login": "bob", "role": "owner"}, 400),
        ({}, 400),
    ]:
        assert site.own("POST", "users", body, status=status)["message"]
    assert [user["login"] for user in site.own("GET", "users")["items"]] == ["admin", "ada"]


def test_a_disabled_account_opens_nothing_and_opens_again(site: OwnSite) -> None:
    add_user(site, "ada")
    secret = log_in(site, "ada")["secret"]
    assert site.own("PATCH", "users/ada", {"disabled": True})["disabled_at"]
    site.own("GET", "tokens", token=secret, status=401)
    log_in(site, "ada", status=401)
    assert site.own("PATCH", "users/ada", {"disabled": False})["disabled_at"] is None
    site.own("GET", "tokens", token=secret)


def test_everybody_changes_only_their_own_password(site: OwnSite) -> None:
    add_user(site, "ada")
    add_user(site, "bob")
    secret = log_in(site, "ada")["secret"]
    site.own("PATCH", "users/ada", {"password": "another horse"}, token=secret)
    log_in(site, "ada", status=401)
    log_in(site, "ada", "another horse")
    for body in ({"password": "another horse"}, {"disabled": True}, {"admin": True}):
        site.own("PATCH", "users/bob", body, token=secret, status=403)
    site.own("PATCH", "users/ada", {"password": "a third horse", "admin": True}, token=secret, status=403)
    log_in(site, "ada", "another horse")  # none of a change is made when one part may not be


def test_administrators_are_made_and_unmade(site: OwnSite) -> None:
    add_user(site, "ada")
    secret = log_in(site, "ada")["secret"]
    site.own("GET", "users", token=secret, status=403)
    assert site.own("PATCH", "users/ada", {"admin": True})["admin"] is True
    assert len(site.own("GET", "users", token=secret)["items"]) == 2
    assert site.own("PATCH", "users/ada", {"admin": False})["admin"] is False
    site.own("GET", "users", token=secret, status=403)


def test_an_administrator_makes_tokens_for_others(site: OwnSite) -> None:
    add_user(site, "robot")
    wish = {"label": "nightly", "scopes": ["run"], "user": "robot"}
    made = site.own("POST", "tokens", wish, status=201)
    assert site.own("GET", "users/robot", token=made["secret"])["login"] == "robot"
    labels = [token["label"] for token in site.own("GET", "tokens?user=robot")["items"]]
    assert labels == ["nightly"]
    ada = site.add_person("ada", Role.OWNER)
    site.own("POST", "tokens", wish, token=ada, status=403)
    site.own("GET", "tokens?user=robot", token=ada, status=403)


def test_an_organization_belongs_to_the_administrator_who_makes_it(site: OwnSite) -> None:
    made = site.own("POST", "organizations", {"slug": "gh/ada"}, status=201)
    assert (made["slug"], made["name"], made["role"]) == ("gh/ada", "ada", "owner")
    alone = site.own("POST", "organizations", {"name": "On no host"}, status=201)
    assert alone["slug"].startswith("circleci/")
    listed = site.own("GET", "organizations")["items"]
    assert {each["slug"] for each in listed} == {"gh/acme", "gh/ada", alone["slug"]}
    for body, status in [
        ({"slug": "gh/ada"}, 409),
        ({"slug": "ada"}, 400),
        ({"slug": "gh/a", "name": "a"}, 400),
        ({}, 400),
    ]:
        site.own("POST", "organizations", body, status=status)
    ada = site.add_person("ada", None, Scope.ADMIN)
    site.own("POST", "organizations", {"slug": "gh/hers"}, token=ada, status=403)
    assert site.own("GET", "organizations", token=ada)["items"] == []


def test_members_come_get_roles_and_go(site: OwnSite) -> None:
    add_user(site, "ada")
    ada = log_in(site, "ada")["secret"]
    place = "organizations/gh%2Facme"
    site.own("GET", place, token=ada, status=404)
    assert site.own("PUT", f"{place}/members/ada", {"role": "member"})["role"] == "member"
    assert site.own("GET", place, token=ada)["role"] == "member"
    site.own("PUT", f"{place}/members/ada", {"role": "owner"}, token=ada, status=403)
    members = {
        each["login"]: each["role"] for each in site.own("GET", f"{place}/members", token=ada)["items"]
    }
    assert members["ada"] == "member"
    site.own("DELETE", f"{place}/members/ada", token=ada, status=204)
    site.own("GET", place, token=ada, status=404)


def test_an_organization_keeps_an_owner(site: OwnSite) -> None:
    site.own("POST", "organizations", {"slug": "gh/ada"}, status=201)
    site.own("DELETE", "organizations/gh%2Fada/members/admin", status=409)
    site.own("PUT", "organizations/gh%2Fada/members/admin", {"role": "viewer"}, status=409)
    add_user(site, "ada")
    site.own("PUT", "organizations/gh%2Fada/members/ada", {"role": "owner"})
    site.own("DELETE", "organizations/gh%2Fada/members/admin", status=204)


def test_settings_and_name_of_an_organization_change(site: OwnSite) -> None:
    place = "organizations/gh%2Facme"
    changed = site.own("PATCH", place, {"settings": {"block_new_work": True}, "name": "ajax"})
    assert (changed["slug"], changed["settings"]["block_new_work"]) == ("gh/ajax", True)
    assert site.own("GET", "projects/gh%2Fajax%2Fapp")["slug"] == "gh/ajax/app"
    site.own("PATCH", "organizations/gh%2Fajax", {"settings": {"no_such": 1}}, status=400)


def test_an_organization_that_was_deleted_is_unknown_with_its_projects(site: OwnSite) -> None:
    site.own("DELETE", "organizations/gh%2Facme", status=204)
    site.own("GET", "organizations/gh%2Facme", status=404)
    site.own("GET", "projects/gh%2Facme%2Fapp", status=404)


@pytest.mark.parametrize("place", ["audit", "organizations/gh%2Facme/audit"])
def test_what_was_done_can_be_read_by_who_may(site: OwnSite, place: str) -> None:
    add_user(site, "ada")
    site.own("PUT", "organizations/gh%2Facme/members/ada", {"role": "admin"})
    newest = site.own("GET", place)["items"][0]
    assert (newest["action"], newest["actor"], newest["details"]["role"]) == ("member.set", "admin", "admin")
    first = site.own("GET", f"{place}?limit=1")
    assert first["items"] == [newest]
    assert site.own("GET", f"{place}?limit=1&after={first['next']}")["items"][0] != newest
    ada = log_in(site, "ada")["secret"]
    site.own("GET", place, token=ada, status=403 if place == "audit" else 200)
