"""Lists come in pages that stay what they are while rows arrive."""

from collections.abc import Iterator

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


def test_a_token_of_another_list_is_refused(site: CircleSite) -> None:
    fill(site, 21)
    other = site.add_project("lib")
    token = site.get(f"project/{APP}/pipeline")["next_page_token"]
    assert site.call("GET", f"/api/v2/project/{other.slug}/pipeline?page-token={token}").status == 400
