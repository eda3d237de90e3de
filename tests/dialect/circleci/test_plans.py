"""No answer takes longer the more was run before: every query of every route that reads goes by an index."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.api.circleci.platform.usage import DOWNLOAD
from penstock.api.circleci.routes import CIRCLECI
from penstock.api.common.route import Route
from penstock.engine.usage_links import LIFE, PURPOSE, sign_part
from penstock.kit.ids import new_id
from tests.support.circle import APP, CircleSite
from tests.support.databases import KINDS, fresh_url
from tests.support.statements import explain_all, recorded_everywhere, walks_of

LOOKS = {route.path: route for route in CIRCLECI.routes if route.method == "GET"}
QUIET = {"/api/v2/me", "/api/v1.1/me", "/api/v2/{organization:2}/resource-class"}
"""Routes that need not ask the database about anything but the caller."""


@pytest.fixture(scope="module", params=KINDS)
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CircleSite]:
    """One site for all, with a pipeline whose first job has passed."""
    folder: Path = tmp_path_factory.mktemp("plans")
    with fresh_url(request, folder) as url:
        made = CircleSite(url, folder)
        made.trigger()
        made.build()
        yield made
        made.close()


def fill(site: CircleSite, route: Route) -> str:
    """The path of the route about what the site has."""
    pipeline = site.lab.every_pipeline()[0]
    job = site.lab.job(pipeline, "build")
    own = {"v2/pipeline/": pipeline.uuid, "v2/workflow/": site.get_workflow(), "v2/jobs/": job.uuid}
    values = {
        "{slug:3}": APP,
        "{id}": next((uuid for stem, uuid in own.items() if stem in route.path), "") or site.get("me")["id"],
        "{number}": "1" if "/pipeline/{number}" in route.path else str(job.number),
        "{project_id}": site.project.uuid,
        "{branch:rest}": "main",
        "{slug:2}": "gh/acme",
        "{slug}": "gh%2Facme",
        "{vcs}": "github",
        "{kind}": "output",
        "{index}": "0",
        "{step}": "0",
        "{context}": site.context,
        "{org_id}": site.acme.uuid,
        "{group}": new_id(),
        "{owner}": site.acme.uuid,
        "{policy_context}": "config",
        "{decision}": new_id(),
        "{policy}": "none",
        "{usage_export_job_id}": new_id(),
        "{file}": "usage-1.csv.gz",
    }
    if route.path == DOWNLOAD:
        values["{id}"] = new_id()
    path = route.path
    for name, value in values.items():
        path = path.replace(name, value)
    queries = {
        DOWNLOAD: sign_download(site, values["{id}"]),
        "/api/v3/runner/token": "?resource-class=acme/box",
        "/api/v2/context": "?owner-slug=gh/acme",
        "/api/v2/webhook": f"?scope-type=project&scope-id={site.project.uuid}",
    }
    return path + queries.get(route.path, "?namespace=acme" if "/runner" in route.path else "")


def sign_download(site: CircleSite, export: str) -> str:
    """The query of an address from which a part of the export may be downloaded."""
    expires = site.parts.clock.now() + LIFE
    signature = sign_part(site.sealer.derive_keys(PURPOSE), export, 1, expires_at=expires)
    return f"?expires={expires}&signature={signature}"


@pytest.mark.parametrize("path", LOOKS)
def test_a_route_that_reads_asks_by_index(site: CircleSite, path: str) -> None:
    filled = fill(site, LOOKS[path])
    with recorded_everywhere(site.parts.db) as seen:
        reply = site.call("GET", filled)
    assert reply.status < 500, reply.body  # some of what they are about the site does not have
    assert seen or path in QUIET, reply.body
    assert [line for plan in explain_all(site.parts.db, seen) for line in walks_of(plan)] == []
