"""Tokens are made once in the open, listed without their secret, and revoked."""

import pytest

from penstock.model.access import Role, Scope
from tests.support.own_api import OwnSite


def test_a_token_is_shown_once_and_opens_what_it_was_made_for(site: OwnSite) -> None:
    made = site.own("POST", "tokens", {"label": "ci", "scopes": ["run"], "expires_in": 60}, status=201)
    secret = made["secret"]
    assert made["token"]["expires_at"] == made["token"]["created_at"] + 60_000
    assert site.own("GET", "projects", token=secret)["items"]
    assert site.ask_own("GET", "tokens", token=secret).status == 403
    listed = site.own("GET", "tokens")
    assert secret not in str(listed)
    assert {each["label"]: each["current"] for each in listed["items"]} == {
        "PENSTOCK_ADMIN_TOKEN": True,
        "ci": False,
    }
    site.lab.clock.advance(61)
    assert site.ask_own("GET", "projects", token=secret).status == 401


def test_a_revoked_token_opens_nothing(site: OwnSite) -> None:
    made = site.own("POST", "tokens", {"label": "ci"}, status=201)
    site.own("DELETE", f"tokens/{made['token']['id']}", status=204)
    assert site.ask_own("GET", "projects", token=made["secret"]).status == 401
    [found] = [each for each in site.own("GET", "tokens")["items"] if each["label"] == "ci"]
    assert found["revoked_at"] is not None


def test_any_token_may_end_itself_but_no_other(site: OwnSite) -> None:
    first, second = (
        site.own("POST", "tokens", {"label": label, "scopes": ["read"]}, status=201) for label in "ab"
    )
    assert site.ask_own("DELETE", f"tokens/{second['token']['id']}", token=first["secret"]).status == 403
    site.own("DELETE", f"tokens/{first['token']['id']}", status=204, token=first["secret"])


def test_a_token_reaches_no_further_than_its_limit(site: OwnSite) -> None:
    site.add_project("other")
    body = {"label": "one", "scopes": ["admin"], "project": "gh/acme/app"}
    made = site.own("POST", "tokens", body, status=201)
    assert (made["token"]["project"], made["token"]["organization"]) == ("gh/acme/app", "gh/acme")
    seen = site.own("GET", "projects", token=made["secret"])["items"]
    assert [each["slug"] for each in seen] == ["gh/acme/app"]
    assert site.ask_own("GET", "projects/gh%2Facme%2Fother", token=made["secret"]).status == 404
    wide = site.ask_own("POST", "tokens", {"label": "wide", "scopes": ["read"]}, token=made["secret"])
    assert wide.status == 403


@pytest.mark.parametrize(
    "body",
    [
        {"label": ""},
        {"label": "x" * 201},
        {"label": "x", "scopes": []},
        {"label": "x", "scopes": ["everything"]},
        {"label": "x", "expires_in": -1},
        {"label": "x", "project": "gh/acme/app", "organization": "gh/acme"},
        {"label": "x", "misspelt": 1},
    ],
)
def test_what_can_be_no_token_is_refused(site: OwnSite, body: dict[str, object]) -> None:
    assert site.own("POST", "tokens", body, status=400)["message"]


def test_of_others_tokens_nothing_is_known(site: OwnSite) -> None:
    made = site.own("POST", "tokens", {"label": "mine"}, status=201)
    other = site.add_person("eve", Role.OWNER, Scope.ADMIN)
    assert [each["label"] for each in site.own("GET", "tokens", token=other)["items"]] == ["test"]
    assert site.ask_own("DELETE", f"tokens/{made['token']['id']}", token=other).status == 404


def test_tokens_come_in_pages(site: OwnSite) -> None:
    for label in "abc":
        site.own("POST", "tokens", {"label": label}, status=201)
    first = site.own("GET", "tokens?limit=3")
    second = site.own("GET", f"tokens?limit=3&after={first['next']}")
    assert [each["label"] for each in (first["items"] + second["items"])][1:] == ["a", "b", "c"]
    assert second["next"] is None
    assert site.ask_own("GET", "tokens?after=x").status == 400
