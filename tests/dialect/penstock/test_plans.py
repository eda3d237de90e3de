"""No answer takes longer the more was run before: every query of own routes that read goes by an index."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.api.common.route import Route
from penstock.api.penstock.routes import PREFIX, ROUTES
from penstock.engine.agent_groups import create_group
from penstock.engine.principal import SERVER
from penstock.model.access import Role
from tests.support.circle import ADMIN
from tests.support.databases import KINDS, fresh_url
from tests.support.own_api import OwnSite
from tests.support.statements import explain_all, recorded_everywhere, walks_of
from tests.support.webhook_site import add_webhook

FROM_THE_END = {"audit": "SCAN audit_log"}
"""What reads a page of a table backwards in its own order, which SQLite calls a scan."""

LOOKS = {route.path.removeprefix(f"{PREFIX}/"): route for route in ROUTES if route.method == "GET"}


@pytest.fixture(scope="module", params=KINDS)
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnSite]:
    """One site for all, with a pipeline of which a job runs, and a member who sees one organization."""
    folder: Path = tmp_path_factory.mktemp("plans")
    with fresh_url(request, folder) as url:
        made = OwnSite(url, folder)
        made.trigger()
        for assignment in made.worker.claim(2):
            made.worker.begin(assignment.task)
            made.print(assignment.task, "hello\n")
        create_group(made.parts, SERVER, made.acme, name="a/b")
        made.member = made.add_person("ann", Role.OWNER)
        yield made
        made.close()


def fill(site: OwnSite, route: Route) -> str:
    """The path of the route about what the site has."""
    pipeline = site.lab.every_pipeline()[0]
    path = route.path.removeprefix(f"{PREFIX}/")
    group = site.own("GET", "agent-groups")["items"][0]["id"]
    ids = {"pipelines": pipeline.uuid, "jobs": site.lab.job(pipeline, "build").uuid, "agent-groups": group}
    ids["webhooks"], delivery = add_webhook(site)
    path = path.replace("{delivery}", delivery)
    path = path.replace("{id}", ids.get(path.partition("/")[0], ""))
    path = path.replace("{project}", site.project.uuid).replace("{user}", "admin")
    return path.replace("{organization}", "gh%2Facme")


@pytest.mark.parametrize("admin", [True, False])
@pytest.mark.parametrize("path", LOOKS)
def test_a_route_that_reads_asks_by_index(site: OwnSite, path: str, *, admin: bool) -> None:
    filled = fill(site, LOOKS[path])
    with recorded_everywhere(site.parts.db) as seen:
        reply = site.ask_own("GET", filled, token=ADMIN if admin else site.member)
    assert reply.status in ({200, 404} if admin else {200, 403, 404}), reply.body
    walks = [line for plan in explain_all(site.parts.db, seen) for line in walks_of(plan)]
    assert [line for line in walks if line != FROM_THE_END.get(path)] == []
