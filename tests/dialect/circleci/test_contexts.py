"""Contexts over API v2: as the vendor's document has them, within bounds, values never given back."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from penstock.engine import contexts as rules
from penstock.kit.ids import new_id
from penstock.model.access import Role, Scope
from penstock.store import contexts
from tests.support.circle import CircleSite
from tests.support.vendor_schema import check_answer

ONE = "/context/{context_id}"
EVERYONE = "00000000-0000-0000-0000-000000000000"
CONFIG = """\
version: 2.1
jobs: {ship: {machine: true, steps: [checkout]}, other: {machine: true, steps: [checkout]}}
workflows: {main: {jobs: [{ship: {context: [prod, org-global]}}, other]}}
"""


def make(site: CircleSite, name: str = "prod", token: str | None = None) -> str:
    body = {"name": name, "owner": {"slug": "gh/acme", "type": "organization"}}
    made = site.post("context", body, token=token)
    check_answer("POST", "/context", 200, made)
    return str(made["id"])


def restrict(site: CircleSite, context: str, kind: str, value: str, status: int = 201) -> dict[str, Any]:
    body = {"restriction_type": kind, "restriction_value": value}
    made: dict[str, Any] = site.post(f"context/{context}/restrictions", body, status)
    return made


def list_restrictions(site: CircleSite, context: str) -> list[dict[str, Any]]:
    page = site.get(f"context/{context}/restrictions")
    check_answer("GET", f"{ONE}/restrictions", 200, page)
    items: list[dict[str, Any]] = page["items"]
    return items


def put(site: CircleSite, context: str, name: str, value: object, status: int = 200) -> dict[str, Any]:
    path = f"/api/v2/context/{context}/environment-variable/{name}"
    answer: dict[str, Any] = site.succeed("PUT", path, {"value": value}, status)
    return answer


def lift(site: CircleSite, context: str, restriction: str, status: int = 200) -> dict[str, Any]:
    path = f"/api/v2/context/{context}/restrictions/{restriction}"
    answer: dict[str, Any] = site.succeed("DELETE", path, None, status)
    return answer


def test_a_context_is_made_found_listed_and_deleted(site: CircleSite) -> None:
    first, second = make(site), make(site, "org-global")
    found = site.get(f"context/{first}")
    check_answer("GET", ONE, 200, found)
    assert found["name"] == "prod"
    for query in (f"owner-id={site.acme.uuid}", "owner-slug=gh/acme", "owner-slug=github%2Facme"):
        page = site.get(f"context?{query}&owner-type=organization")
        check_answer("GET", "/context", 200, page)
        assert [each["id"] for each in page["items"]] == [site.context, first, second]
        assert page["next_page_token"] is None
    gone = site.succeed("DELETE", f"/api/v2/context/{first}", None, 200)
    check_answer("DELETE", ONE, 200, gone)
    assert site.succeed("GET", f"/api/v2/context/{first}", None, 404) == {"message": "Context not found."}
    site.succeed("DELETE", f"/api/v2/context/{first}", None, 404)
    assert len(site.get("context?owner-slug=gh/acme")["items"]) == 2


def test_variables_go_in_and_never_come_out(site: CircleSite) -> None:
    context = make(site)
    made = put(site, context, "TOKEN", "swordfish")
    assert set(made) == {"variable", "created_at", "updated_at", "context_id"}
    site.lab.clock.advance(5)
    again = put(site, context, "TOKEN", "marlin\nfish")
    assert again["created_at"] == made["created_at"] < again["updated_at"]
    put(site, context, "A", "")
    page = site.get(f"context/{context}/environment-variable")
    check_answer("GET", f"{ONE}/environment-variable", 200, page)
    assert [each["variable"] for each in page["items"]] == ["A", "TOKEN"]
    assert "fish" not in str(page)
    path = f"/api/v2/context/{context}/environment-variable/A"
    gone = site.succeed("DELETE", path, None, 200)
    check_answer("DELETE", f"{ONE}/environment-variable/{{env_var_name}}", 200, gone)
    assert site.succeed("DELETE", path, None, 404) == {"message": "Environment variable not found."}


def test_a_new_context_is_for_all_members(site: CircleSite) -> None:
    context = make(site)
    [found] = list_restrictions(site, context)
    assert found["name"] == "All members"
    assert (found["restriction_type"], found["restriction_value"]) == ("group", site.acme.uuid)
    assert "project_id" not in found
    assert lift(site, context, found["id"]) == {"message": "Context restriction deleted."}
    assert list_restrictions(site, context) == []
    lift(site, context, found["id"], 404)


def test_restrictions_tell_what_they_are_called(site: CircleSite) -> None:
    context = make(site)
    group = site.post(f"organizations/{site.acme.uuid}/groups", {"name": "deployers"}, 201)["id"]
    made = restrict(site, context, "project", site.project.uuid.upper())
    check_answer("POST", f"{ONE}/restrictions", 201, made)
    assert (made["name"], made["project_id"]) == ("app", site.project.uuid)
    assert restrict(site, context, "group", group)["name"] == "deployers"
    assert restrict(site, context, "group", EVERYONE)["name"] == "Everyone"
    rule = 'pipeline.git.branch == "main"'
    assert restrict(site, context, "expression", rule)["restriction_value"] == rule
    assert "name" not in restrict(site, context, "expression", "true")
    assert len(list_restrictions(site, context)) == 6
    for kind, value in (("project", site.project.uuid), ("group", group), ("expression", rule)):
        assert "already" in restrict(site, context, kind, value, 409)["message"]
    site.succeed("DELETE", f"/api/v2/organizations/{site.acme.uuid}/groups/{group}", None, 200)
    [left] = [each for each in list_restrictions(site, context) if each["restriction_value"] == group]
    assert "name" not in left


def test_the_older_form_of_a_restriction_is_understood(site: CircleSite) -> None:
    context = make(site)
    made = site.post(f"context/{context}/restrictions", {"project_id": site.project.uuid}, 201)
    assert (made["restriction_type"], made["restriction_value"]) == ("project", site.project.uuid)
    both = {"project_id": site.project.uuid, "restriction_type": "group", "restriction_value": site.acme.uuid}
    assert "not both" in site.post(f"context/{context}/restrictions", both, 400)["message"]


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({"restriction_type": "team", "restriction_value": "x"}, 400, "one of project, group, expression"),
        ({"restriction_type": "project"}, 400, "are needed"),
        ({}, 400, "are needed"),
        ({"restriction_type": "project", "restriction_value": "app"}, 400, "not the id of a project"),
        ({"restriction_type": "group", "restriction_value": ""}, 400, "not the id of a group"),
        ({"restriction_type": "project", "restriction_value": new_id()}, 404, "Project not found."),
        ({"restriction_type": "group", "restriction_value": new_id()}, 404, "Group not found."),
        ({"restriction_type": "expression", "restriction_value": "a =="}, 400, "character 5: expected"),
        ({"restriction_type": "expression", "restriction_value": ""}, 400, "character 1"),
        ({"restriction_type": "expression", "restriction_value": "x" * 4000}, 400, "2048 characters"),
        ({"restriction_type": "expression", "restriction_value": "(" * 2000}, 400, "nested too deep"),
        ({"restriction_type": "expression", "restriction_value": "pipeline.id matches /(/"}, 400, "regular"),
        (
            {"restriction_type": "expression", "restriction_value": "pipeline.parameters.deploy"},
            400,
            "character 1: pipeline.parameters.deploy is whatever",
        ),
        ({"restriction_type": "expression", "restriction_value": "1 == env.X"}, 400, "character 6: there"),
        ({"restriction_type": "expression", "restriction_value": "true\x00"}, 400, "character 5"),
    ],
)  # fmt: skip
def test_a_restriction_that_makes_no_sense_is_refused(
    site: CircleSite, body: dict[str, str], status: int, says: str
) -> None:
    context = make(site)
    assert says in site.post(f"context/{context}/restrictions", body, status)["message"]
    assert len(list_restrictions(site, context)) == 1


def test_no_restriction_at_all_is_refused(site: CircleSite) -> None:
    assert set(site.post(f"context/{make(site)}/restrictions", None, 400)) == {"message"}


def test_a_long_rule_of_signs_that_take_several_bytes_is_refused_or_kept(site: CircleSite) -> None:
    context = make(site)
    signs = "".join(chr(0x4E00 + number * 7919 % 20_000) for number in range(2000))
    rules_of = [f'pipeline.git.branch == "{signs[:length]}"' for length in (2000, 826, 825)]
    assert "bytes" in restrict(site, context, "expression", rules_of[0], 400)["message"]
    restrict(site, context, "expression", rules_of[1], 400)
    assert restrict(site, context, "expression", rules_of[2])["restriction_value"] == rules_of[2]


def test_a_rule_that_would_fill_the_memory_is_refused(site: CircleSite) -> None:
    context = make(site)
    pattern = "(?:" * 30 + "a" + "){2}" * 30
    assert (
        "regular" in restrict(site, context, "expression", f"pipeline.id matches /{pattern}/", 400)["message"]
    )
    restrict(site, context, "expression", "pipeline.git.branch matches /(a+)+$/")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "x"}, 400),
        ({"name": "x", "owner": {}}, 400),
        ({"name": "x", "owner": {"id": new_id(), "slug": "gh/acme"}}, 400),
        ({"name": "x", "owner": {"id": "acme"}}, 400),
        ({"name": "x", "owner": {"id": new_id(), "type": "account"}}, 400),
        ({"name": "x", "owner": {"id": new_id()}}, 404),
        ({"name": "x", "owner": {"slug": "gh/none"}}, 404),
        ({"name": "x", "owner": {"slug": "gh"}}, 400),
        ({"name": "", "owner": {"slug": "gh/acme"}}, 400),
        ({"name": "x" * 201, "owner": {"slug": "gh/acme"}}, 400),
        ({"name": 7, "owner": {"slug": "gh/acme"}}, 400),
    ],
)
def test_a_context_that_cannot_be_is_refused(site: CircleSite, body: object, status: int) -> None:
    assert set(site.post("context", body, status)) == {"message"}
    assert len(site.get("context?owner-slug=gh/acme")["items"]) == 1


@pytest.mark.parametrize(
    ("query", "status"),
    [("", 400), ("owner-id=x", 400), ("owner-id=01a2000c-0d60-763e-aba0-9f0199446560", 404),
     ("owner-slug=gh/none", 404),
     ("owner-slug=gh/acme&owner-type=account", 400), ("owner-slug=gh/acme&page-token=x", 400)],
)  # fmt: skip
def test_a_list_of_nobodys_contexts_is_refused(site: CircleSite, query: str, status: int) -> None:
    site.succeed("GET", f"/api/v2/context?{query}", None, status)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("1A", "x", "does not begin with a digit"),
        ("A" * 301, "x", "letters, digits"),
        ("A%20B", "x", "letters, digits"),
        ("A", "a\x00b", "zero byte"),
        ("A", "x" * 32_769, "32 KiB"),
        ("A", "é" * 16_385, "32 KiB"),
        ("A", 7, ""),
        ("A", None, ""),
    ],
)
def test_a_variable_that_cannot_be_is_refused(site: CircleSite, name: str, value: object, says: str) -> None:
    context = make(site)
    assert says in put(site, context, name, value, 400)["message"]
    assert site.get(f"context/{context}/environment-variable")["items"] == []


@pytest.mark.parametrize("bad", ["x", "%00", "..", "prod", "0" * 36])
def test_what_is_no_id_is_refused(site: CircleSite, bad: str) -> None:
    asked = [
        ("GET", f"/api/v2/context/{bad}"),
        ("GET", f"/api/v2/context/{bad}/environment-variable"),
        ("DELETE", f"/api/v2/context/{make(site)}/restrictions/{bad}"),
    ]
    assert {site.call(method, path).status for method, path in asked} <= {400, 404}


def test_there_are_bounds_and_pages(site: CircleSite, monkeypatch: pytest.MonkeyPatch) -> None:
    context = make(site)
    for number in range(rules.MOST_VARIABLES):
        put(site, context, f"A{number:03}", "x")
    assert "100 variables" in put(site, context, "B", "x", 400)["message"]
    put(site, context, "A000", "y" * (32 << 10))
    with site.parts.db.write() as tx:
        for number in range(rules.MOST_CONTEXTS - 2):
            contexts.create_context(tx, site.acme.id, f"c{number}", now=1)
    body = {"name": "more", "owner": {"id": site.acme.uuid}}
    assert "500 contexts" in site.post("context", body, 400)["message"]
    monkeypatch.setattr("penstock.api.circleci.platform.contexts.MANY", 30)
    assert len(collect(site, "context?owner-slug=gh/acme&page-token=")) == rules.MOST_CONTEXTS
    assert len(collect(site, f"context/{context}/environment-variable?page-token=")) == rules.MOST_VARIABLES


def collect(site: CircleSite, path: str) -> set[str]:
    found: list[str] = []
    token: str | None = ""
    while token is not None:
        page = site.get(path + token)
        found += [each.get("id") or each["variable"] for each in page["items"]]
        token = page["next_page_token"]
    assert len(found) == len(set(found))
    return set(found)


def test_of_two_who_make_a_context_at_once_one_does(site: CircleSite) -> None:
    body = {"name": "prod", "owner": {"slug": "gh/acme"}}
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: site.call("POST", "/api/v2/context", body).status, range(4)))
    assert sorted(made) == [200, 409, 409, 409]
    [_, found] = site.get("context?owner-slug=gh/acme")["items"]
    assert len(list_restrictions(site, found["id"])) == 1


def test_rights_are_kept(site: CircleSite) -> None:
    member = site.add_person("mem", Role.MEMBER)
    viewer = site.add_person("view", Role.VIEWER)
    reader = site.add_person("read", Role.OWNER, Scope.READ)
    context = make(site, token=member)
    [found] = list_restrictions(site, context)
    path = f"/api/v2/context/{context}"
    asked: list[tuple[str, str, object]] = [
        ("POST", f"{path}/restrictions", {"restriction_type": "group", "restriction_value": EVERYONE}),
        ("DELETE", f"{path}/restrictions/{found['id']}", None),
    ]
    for method, where, body in asked:
        assert site.succeed(method, where, body, 403, token=member) == {"message": "Permission denied."}
    site.succeed("GET", path, None, 403, token=viewer)
    site.succeed("DELETE", path, None, 403, token=reader)
    lift(site, context, found["id"])
    told = site.succeed("DELETE", path, None, 403, token=member)
    assert "groups that you are not in" in told["message"]


def ship(site: CircleSite) -> dict[str, Any]:
    """The job `ship` of a new pipeline, with the workflow it is of."""
    site.code.configs["main"] = CONFIG
    pipeline = site.trigger()
    [workflow] = site.get(f"pipeline/{pipeline['id']}/workflow")["items"]
    return find_job(site, workflow["id"])


def find_job(site: CircleSite, workflow: str) -> dict[str, Any]:
    jobs = site.get(f"workflow/{workflow}/job")["items"]
    [job] = [each for each in jobs if each["name"] == "ship"]
    return {**job, "workflow": workflow}


Deny = Callable[[CircleSite, str], str]


def by_project(site: CircleSite, context: str) -> str:
    other = site.add_project("other")
    return str(restrict(site, context, "project", other.uuid)["id"])


def by_rule(site: CircleSite, context: str) -> str:
    return str(restrict(site, context, "expression", 'pipeline.git.branch == "release"')["id"])


@pytest.mark.parametrize("deny", [by_project, by_rule])
def test_a_restricted_context_stops_the_job_until_it_is_lifted(site: CircleSite, deny: Deny) -> None:
    context = make(site)
    make(site, "org-global")
    put(site, context, "TOKEN", "swordfish")
    restriction = deny(site, context)
    job = ship(site)
    assert job["status"] == "unauthorized"
    assert "job_number" not in job
    for other in site.worker.claim(4):
        assert other.plan.name == "other"
        site.worker.begin(other.task)
        site.worker.end(other.task)
    assert site.get(f"workflow/{job['workflow']}")["status"] == "unauthorized"
    assert "swordfish" not in str(site.get(f"jobs/{job['id']}"))
    lift(site, context, restriction)
    again = site.post(f"workflow/{job['workflow']}/rerun", {"from_failed": True}, 202)["workflow_id"]
    assert find_job(site, again)["status"] == "queued"
    [given] = site.worker.claim(4)
    assert given.environment["TOKEN"] == "swordfish"
    assert "swordfish" in given.secrets


def test_a_context_that_is_not_there_stops_the_job(site: CircleSite) -> None:
    context = make(site)
    make(site, "org-global")
    job = ship(site)
    assert job["status"] == "queued"
    site.succeed("DELETE", f"/api/v2/context/{context}", None, 200)
    assert [each.plan.name for each in site.worker.claim(4)] == ["other"]
    told = site.get(f"jobs/{job['id']}")
    assert told["status"] == "unauthorized"
    assert told["messages"][0]["message"] == "There is no context prod in gh/acme."


def test_what_was_done_is_in_the_audit_log(site: CircleSite) -> None:
    context = make(site)
    put(site, context, "TOKEN", "swordfish")
    by_rule(site, context)
    acts = site.succeed("GET", "/api/penstock/v1/organizations/gh%2Facme/audit", None, 200,
                        headers={"authorization": f"Bearer {site.token}"})["items"]  # fmt: skip
    done = [each["action"] for each in acts]
    assert done[:3] == ["context.restrict", "context.set-variable", "context.create"]
    assert "swordfish" not in str(acts)
