"""Lists come in pages that stay what they are while rows arrive."""

from collections.abc import Iterator

import pytest

from penstock.api.circleci import jobs, workflows
from penstock.api.circleci.paging import write_token
from penstock.api.circleci.routes import ROUTES
from penstock.api.common.route import Route
from penstock.model.access import Role
from tests.support.circle import APP, CircleSite


def walk(site: CircleSite, path: str) -> Iterator[list[dict[str, object]]]:
    """The pages of a list."""
    token = ""
    while True:
        mark = "&" if "?" in path else "?"
        page = site.get(f"{path}{mark}page-token={token}" if token else path)
        yield page["items"]
        token = page["next_page_token"]
        if token is None:
            return


def fill(site: CircleSite, count: int) -> None:
    """So many pipelines, every other one of the branch `dev`."""
    for number in range(count):
        site.trigger(branch="dev" if number % 2 else "main")


def test_pages_hold_every_pipeline_once_though_new_ones_come(site: CircleSite) -> None:
    fill(site, 45)
    seen: list[object] = []
    for page in walk(site, f"project/{APP}/pipeline"):
        seen += [item["number"] for item in page]
        site.trigger()
    assert seen == list(range(45, 0, -1))


def test_a_page_is_never_older_than_the_last_commit(site: CircleSite) -> None:
    fill(site, 3)
    for number in range(4, 12):
        page = site.get(f"project/{APP}/pipeline")
        assert page == site.get(f"project/{APP}/pipeline")
        site.trigger()
        assert site.get(f"project/{APP}/pipeline")["items"][0]["number"] == number
        assert page["items"][0]["number"] == number - 1


def test_a_page_that_was_shown_to_one_is_not_shown_to_another(site: CircleSite) -> None:
    fill(site, 1)
    stranger = site.add_person("mallory")
    site.get("me", token=stranger)
    for _ in range(3):
        site.get(f"project/{APP}/pipeline")
        assert site.call("GET", f"/api/v2/project/{APP}/pipeline", token=stranger).status == 404


def test_a_branch_and_one_s_own_pipelines_are_lists_of_their_own(site: CircleSite) -> None:
    fill(site, 44)
    member = site.add_person("grace", Role.MEMBER)
    site.post(f"project/{APP}/pipeline", {}, 201, token=member)
    dev = [item["number"] for page in walk(site, f"project/{APP}/pipeline?branch=dev") for item in page]
    assert dev == list(range(44, 0, -2))
    mine = site.get(f"project/{APP}/pipeline/mine", token=member)
    assert [item["number"] for item in mine["items"]] == [45]
    assert mine["next_page_token"] is None


def test_pipelines_of_all_projects_one_follows_come_together(site: CircleSite) -> None:
    site.add_project("lib")
    member = site.add_person("grace", Role.MEMBER)
    for slug in (APP, "gh/acme/lib"):
        site.succeed("POST", f"/api/v1.1/project/{slug}/follow", None, 200, token=member)
    for number in range(25):
        site.post(f"project/gh/acme/{'lib' if number % 3 else 'app'}/pipeline", {}, 201)
    site.post(f"project/{APP}/pipeline", {}, 201, token=member)
    first = site.get("pipeline?org-slug=gh/acme", token=member)
    rest = site.get(f"pipeline?org-slug=gh%2Facme&page-token={first['next_page_token']}", token=member)
    times = [item["id"] for item in first["items"] + rest["items"]]
    assert len(times) == 26
    assert times == sorted(times, reverse=True)
    mine = site.get("pipeline?mine=true", token=member)
    assert [item["trigger"]["actor"]["login"] for item in mine["items"]] == ["grace"]
    builds = site.succeed("GET", "/api/v1.1/recent-builds?limit=3&offset=1", None, 200, token=member)
    assert [build["reponame"] for build in builds] == ["app", "lib", "lib"]


def test_workflows_and_jobs_stay_in_their_pages_while_reruns_come(
    site: CircleSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workflows, "LONG_PAGE", 2)
    made = site.trigger()
    path = f"pipeline/{made['id']}/workflow"
    for _ in range(22):
        newest = site.get(path)["items"][0]["id"]
        site.post(f"workflow/{newest}/cancel", None, 202)
        site.post(f"workflow/{newest}/rerun", None, 202)
    first, *rest = walk(site, path)
    site.post(f"workflow/{first[0]['id']}/cancel", None, 202)
    site.post(f"workflow/{first[0]['id']}/rerun", None, 202)
    assert [len(page) for page in (first, *rest)] == [20, 3]
    assert len({item["id"] for page in (first, *rest) for item in page}) == 23
    pages = list(walk(site, f"workflow/{first[0]['id']}/job"))
    assert [[job["name"] for job in page] for page in pages] == [["build", "hold"], ["test"]]


def test_artifacts_and_tests_stay_in_their_pages_while_more_come(
    site: CircleSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "LONG_PAGE", 1)
    site.trigger()
    job = site.build()
    site.leave_artifact(job, "out/m.html")
    site.leave_artifact(job, "out/z.html")
    seen: list[object] = []
    for page in walk(site, f"project/{APP}/{job.number}/artifacts"):
        seen += [item["path"] for item in page]
        site.leave_artifact(job, f"out/0{len(seen)}.html")
    assert seen == ["out/a b.html", "out/m.html", "out/z.html"]
    pages = walk(site, f"project/{APP}/{job.number}/tests")
    assert [[test["name"] for test in page] for page in pages] == [["adds"], ["fails"]]


LISTS = [
    route for route in ROUTES if route.query is not None and "page_token" in route.query.__struct_fields__
]


@pytest.mark.parametrize("route", LISTS, ids=lambda route: route.path)
def test_no_list_takes_a_token_that_is_none_of_its_own(site: CircleSite, route: Route) -> None:
    site.trigger()
    job = site.build()
    owners = {"/pipeline/{id}": site.lab.every_pipeline()[0].uuid, "/workflow/{id}": site.get_workflow()}
    path = route.path.replace("{context}", site.context).replace("{org_id}", site.acme.uuid)
    for place, uuid in owners.items():
        path = path.replace(place, place.replace("{id}", uuid))
    path = path.replace("{slug:3}", APP).replace("{number}", str(job.number))
    queries = {
        "/api/v2/context": "owner-slug=gh/acme&",
        "/api/v2/webhook": f"scope-type=project&scope-id={site.project.uuid}&",
    }
    query = queries.get(path, "")
    assert site.call("GET", f"{path}?{query}").status == 200
    foreign = write_token("pipelines/999999", 1)
    for token in (
        "x", "%00", "e30", "W10", "WzFd", "bnVsbA", "%C3%A9", "a" * 3000, "-1", foreign, f"{foreign}x",
        write_token("jobs/0", 1), write_token("tests/0", "x"), write_token("artifacts/0", [1]),
        write_token("pipelines", -1), write_token("pipelines", 1 << 63), write_token("followed", 1.5),
    ):  # fmt: skip
        reply = site.call("GET", f"{path}?{query}page-token={token}")
        assert (reply.status, set(reply.json())) == (400, {"message"}), (token, reply.body)
    assert site.call("GET", f"{path}?{query}page-token=").status == 200


def test_a_token_of_another_list_is_refused(site: CircleSite) -> None:
    fill(site, 21)
    other = site.add_project("lib")
    token = site.get(f"project/{APP}/pipeline")["next_page_token"]
    assert site.call("GET", f"/api/v2/project/{other.slug}/pipeline?page-token={token}").status == 400
