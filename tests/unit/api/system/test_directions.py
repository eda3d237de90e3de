"""Links to pipelines and jobs lead to the commands that show them."""

import pytest

from penstock.api.system.routes import SYSTEM
from tests.support.http import Site

ID = "01a1ff62-e01b-7dbb-84b3-8927f9fcf01e"


@pytest.fixture
def site() -> Site:
    return Site(dialects=[SYSTEM])


@pytest.mark.parametrize(
    ("place", "last"),
    [
        ("github/acme/app/7", "watch 7 --project gh/acme/app"),
        (f"gh/acme/app/7/workflows/{ID}", "watch 7 --project gh/acme/app"),
        (f"local/app/7/workflows/{ID}/jobs/12", "logs 12 --pipeline 7 --project local/app"),
        (f"gl/a/b/c/1/workflows/{ID}/jobs/{ID}", f"logs {ID} --pipeline 1 --project gl/a/b/c"),
    ],
)
def test_a_link_says_which_command_shows_what_it_is_about(site: Site, place: str, last: str) -> None:
    reply = site.ask("GET", f"/pipelines/{place}")
    assert reply.status == 200
    assert reply.headers["content-type"].startswith("text/plain")
    assert reply.body.decode().splitlines()[-1].strip() == f"penstock {last} --server".strip()


@pytest.mark.parametrize(
    "place",
    [
        "",
        "7",
        "gh/acme/app",
        "gh/acme/app/x",
        "gh/acme/app;id/7",
        "gh/acme/$(id)/7",
        "gh/acme/app%0aid/7",
        f"gh/acme/app/7/workflows/{ID}/jobs/;id",
        "gh/acme/app/7/workflows/x",
        "gh/../app/7",
    ],
)
def test_what_is_no_link_of_ours_is_nothing(site: Site, place: str) -> None:
    assert site.ask("GET", f"/pipelines/{place}").status == 404
