"""Custom claims of identity tokens: exact answers, and what is refused."""

import pytest

from penstock.api.circleci.times import show_millis
from penstock.kit.ids import new_id
from penstock.model.access import Role, Scope
from tests.support.circle import ADMIN, CircleSite


def path(site: CircleSite, *, project: bool = False) -> str:
    below = f"/project/{site.project.uuid}" if project else ""
    return f"/api/v2/org/{site.acme.uuid}{below}/oidc-custom-claims"


def ids(site: CircleSite, *, project: bool) -> dict[str, str]:
    return {"org_id": site.acme.uuid} | ({"project_id": site.project.uuid} if project else {})


@pytest.mark.parametrize("project", [False, True])
def test_claims_are_set_and_unset_one_by_one(site: CircleSite, project: bool) -> None:  # noqa: FBT001 - a parameter
    own, where = ids(site, project=project), path(site, project=project)
    assert site.succeed("GET", where, None, 200) == own
    first = show_millis(site.lab.clock.now())
    told = site.succeed("PATCH", where, {"audience": ["b", "a", "b"], "ttl": "3h"}, 200)
    expected = own | {
        "audience": ["b", "a"],
        "audience_updated_at": first,
        "ttl": "3h0m0s",
        "ttl_updated_at": first,
    }
    assert told == expected
    site.lab.clock.advance(5)
    second = show_millis(site.lab.clock.now())
    told = site.succeed("PATCH", where, {"ttl": "90m", "audience": None}, 200)
    assert told == expected | {"ttl": "1h30m0s", "ttl_updated_at": second}
    told = site.succeed("DELETE", f"{where}?claims=audience", None, 200)
    left = own | {"audience_updated_at": second, "ttl": "1h30m0s", "ttl_updated_at": second}
    assert told == left
    assert site.succeed("GET", where, None, 200) == left
    told = site.succeed("DELETE", f"{where}?claims=ttl,%20audience,", None, 200)
    assert told == own | {"audience_updated_at": second, "ttl_updated_at": second}
    assert site.succeed("PATCH", where, {}, 200) == told


def test_a_project_and_its_organization_are_set_apart(site: CircleSite) -> None:
    site.succeed("PATCH", path(site), {"ttl": "5m"}, 200)
    site.succeed("PATCH", path(site, project=True), {"audience": ["x"]}, 200)
    assert "audience" not in site.succeed("GET", path(site), None, 200)
    assert "ttl" not in site.succeed("GET", path(site, project=True), None, 200)


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {"audience": []},
        {"audience": "a"},
        {"audience": [1]},
        {"audience": [""]},
        {"audience": ["\u0000"]},
        {"audience": ["a"] * 20 + [str(number) for number in range(21)]},
        {"ttl": 5},
        {"ttl": "5"},
        {"ttl": "5y"},
        {"ttl": "1h1h1h1h1h1h1h1h"},
        {"ttl": "0ms"},
        {"ttl": "999999999999999999w"},
        {"ttl": "1h", "audience": [""]},
    ],
)
def test_what_cannot_be_set_is_told_in_the_service_s_way(site: CircleSite, body: object) -> None:
    reply = site.call("PATCH", path(site), body)
    assert reply.status == 400
    assert list(reply.json()) == ["error"]
    assert site.succeed("GET", path(site), None, 200) == ids(site, project=False)


def test_a_lone_surrogate_in_a_name_is_refused(site: CircleSite) -> None:
    headers = {"circle-token": site.token}
    reply = site.ask("PATCH", path(site), b'{"audience": ["\\ud800"]}', cut=False, **headers)
    assert reply.status == 400


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("", "Claims: cannot be blank."),
        ("?claims=", "Claims: cannot be blank."),
        ("?claims=,", "Claims: cannot be blank."),
        ("?claims=ttl,sub", "Claims: there is no claim 'sub', only audience and ttl."),
    ],
)
def test_what_is_to_be_unset_must_be_named(site: CircleSite, query: str, says: str) -> None:
    reply = site.call("DELETE", path(site) + query)
    assert (reply.status, reply.json()) == (400, {"error": says})


def test_places_that_are_none_are_told_in_the_service_s_way(site: CircleSite) -> None:
    other = site.add_project("other")
    wrong = {
        "/api/v2/org/x/oidc-custom-claims": 400,
        f"/api/v2/org/{new_id()}/oidc-custom-claims": 404,
        f"/api/v2/org/{site.acme.uuid}/project/x/oidc-custom-claims": 400,
        f"/api/v2/org/{site.acme.uuid}/project/{new_id()}/oidc-custom-claims": 404,
        f"/api/v2/org/{new_id()}/project/{other.uuid}/oidc-custom-claims": 404,
    }
    for where, status in wrong.items():
        for method, body in (("GET", None), ("PATCH", {"ttl": "5m"}), ("DELETE", None)):
            reply = site.call(method, where + "?claims=ttl" * (method == "DELETE"), body)
            assert (reply.status, list(reply.json())) == (status, ["error"]), where


def test_members_look_and_administrators_change(site: CircleSite) -> None:
    member = site.add_person("member", Role.MEMBER)
    admin = site.add_person("boss", Role.ADMIN)
    reader = site.add_person("reader", Role.ADMIN, Scope.READ)
    for project in (False, True):
        where = path(site, project=project)
        for token in (member, reader):
            assert site.call("GET", where, token=token).status == 200
            assert site.call("PATCH", where, {"ttl": "5m"}, token=token).status == 403
            assert list(site.call("DELETE", f"{where}?claims=ttl", token=token).json()) == ["error"]
        assert site.call("PATCH", where, {"ttl": "5m"}, token=admin).status == 200


def test_the_audit_log_tells_who_changed_what(site: CircleSite) -> None:
    site.succeed("PATCH", path(site), {"ttl": "5m"}, 200)
    site.succeed("PATCH", path(site, project=True), {"audience": ["x"]}, 200)
    site.succeed("PATCH", path(site), {"ttl": "5m"}, 200)
    reply = site.call(
        "GET",
        "/api/penstock/v1/organizations/gh%2Facme/audit",
        token="",
        headers={"authorization": f"Bearer {ADMIN}"},
    )
    acts = [each["action"] for each in reply.json()["items"] if each["action"].endswith(".identity")]
    assert acts == ["organization.identity", "project.identity"][::-1]


def test_discovery_and_keys_are_open_to_all(site: CircleSite) -> None:
    for place in ("/oidc", f"/oidc/org/{site.acme.uuid}", f"/oidc/org/{new_id()}"):
        told = site.call("GET", f"{place}/.well-known/openid-configuration", token="")
        assert told.status == 200
        assert told.json()["issuer"] == place
        assert told.json()["jwks_uri"] == f"{place}/.well-known/jwks-pub.json"
        assert told.json()["id_token_signing_alg_values_supported"] == ["RS256"]
        keys = site.call("GET", f"{place}/.well-known/jwks-pub.json", token="")
        assert keys.headers["cache-control"] == "public, max-age=300"
        [key] = keys.json()["keys"]
        assert set(key) == {"kty", "n", "e", "kid", "use", "alg"}
    for place in ("/oidc/org/x", "/oidc/org", "/oidc/org/%00", "/oidc/other"):
        assert site.call("GET", f"{place}/.well-known/jwks-pub.json", token="").status == 404
