"""Groups of people over API v2, and who is in them over our own."""

from typing import Any

import pytest

from penstock.kit.ids import new_id
from penstock.model.access import Role
from tests.support.circle import CircleSite
from tests.support.vendor_schema import check_answer

LIST = "/organizations/{org_id}/groups"
ONE = f"{LIST}/{{group_id}}"
OWN = "/api/penstock/v1/organizations/gh%2Facme/groups"


def place(site: CircleSite, group: str = "") -> str:
    return f"organizations/{site.acme.uuid}/groups{f'/{group}' if group else ''}"


def make(site: CircleSite, name: str = "deployers", status: int = 201) -> dict[str, Any]:
    made: dict[str, Any] = site.post(place(site), {"name": name, "description": "who ships"}, status)
    return made


def test_groups_are_made_found_listed_and_deleted(site: CircleSite) -> None:
    made = make(site)
    check_answer("POST", LIST, 201, made)
    assert site.get(place(site, made["id"])) == made
    check_answer("GET", ONE, 200, made)
    make(site, status=409)
    make(site, "testers")
    page = site.get(f"{place(site)}?limit=1")
    check_answer("GET", LIST, 200, page)
    assert (page["items"], page["total_count"]) == ([made], 2)
    rest = site.get(f"{place(site)}?limit=1&page-token={page['next_page_token']}")
    assert [each["name"] for each in rest["items"]] == ["testers"]
    assert rest["next_page_token"] is None
    gone = site.succeed("DELETE", f"/api/v2/{place(site, made['id'])}", None, 200)
    check_answer("DELETE", ONE, 200, gone)
    assert gone == {"message": "Group deleted."}
    for method in ("GET", "DELETE"):
        told = site.succeed(method, f"/api/v2/{place(site, made['id'])}", None, 404)
        assert told == {"message": "Group not found."}


@pytest.mark.parametrize(
    "body",
    [{}, {"name": ""}, {"name": " "}, {"name": "x" * 201}, {"name": 7},
     {"name": "x", "description": "x" * 2001}, []],
)  # fmt: skip
def test_a_group_that_cannot_be_is_refused(site: CircleSite, body: object) -> None:
    assert set(site.post(place(site), body, 400)) == {"message"}


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "page-token=x"])
def test_a_page_that_cannot_be_is_refused(site: CircleSite, query: str) -> None:
    site.succeed("GET", f"/api/v2/{place(site)}?{query}", None, 400)


def test_groups_belong_to_one_organization(site: CircleSite) -> None:
    made = make(site)
    site.succeed("GET", f"/api/v2/organizations/{new_id()}/groups/{made['id']}", None, 404)
    site.succeed("GET", "/api/v2/organizations/x/groups", None, 400)
    site.succeed("GET", f"/api/v2/{place(site, 'deployers')}", None, 400)
    member = site.add_person("mem", Role.MEMBER)
    assert site.get(place(site), token=member)["total_count"] == 1
    site.post(place(site), {"name": "mine"}, 403, token=member)


def own(site: CircleSite, method: str, path: str, status: int, token: str = "") -> Any:  # noqa: ANN401 - whatever was answered
    headers = {"authorization": f"Bearer {token or site.token}"}
    reply = site.call(method, f"{OWN}/{path}", headers=headers)
    assert reply.status == status, reply.body
    return reply.json() if reply.body else None


def test_members_of_the_organization_join_and_leave(site: CircleSite) -> None:
    made = make(site, "deploy team")
    site.add_person("ada", Role.VIEWER)
    member = site.add_person("grace", Role.MEMBER)
    site.add_person("eve")
    for named in ("deploy%20team", made["id"]):
        added = own(site, "PUT", f"{named}/members/ada", 200)
        assert added["login"] == "ada"
    own(site, "PUT", f"{made['id']}/members/grace", 200)
    assert "does not belong" in own(site, "PUT", f"{made['id']}/members/eve", 409)["message"]
    own(site, "PUT", f"{made['id']}/members/nobody", 404)
    own(site, "PUT", "nothing/members/ada", 404)
    own(site, "PUT", f"{made['id']}/members/grace", 403, token=member)
    page = own(site, "GET", f"{made['id']}/members?limit=1", 200, token=member)
    assert [each["login"] for each in page["items"]] == ["ada"]
    rest = own(site, "GET", f"{made['id']}/members?after={page['next']}", 200)
    assert [each["login"] for each in rest["items"]] == ["grace"]
    own(site, "DELETE", f"{made['id']}/members/ada", 204)
    own(site, "DELETE", f"{made['id']}/members/ada", 404)
