"""What a request names in its body or query is found only by those who may know of it."""

import pytest

from penstock.engine.organizations import create_organization
from penstock.engine.principal import SERVER
from penstock.engine.projects import NewProject, create_project
from penstock.kit.ids import new_id
from penstock.model.access import Role
from tests.support.circle import APP, CircleSite


@pytest.fixture
def theirs(site: CircleSite) -> str:
    """The slug of a project of another organization, in which a pipeline has run."""
    other = create_organization(site.parts, SERVER, host="gh", name="other")
    new = NewProject(name="app", url="https://github.com/other/app.git")
    return create_project(site.parts, SERVER, other, new).slug


def test_a_query_does_not_tell_of_others(site: CircleSite, theirs: str) -> None:
    grace = site.add_person("grace", Role.MEMBER)
    owner = theirs.rpartition("/")[0]
    for path in ("pipeline?org-slug={}", "organization/{}"):
        real = site.call("GET", f"/api/v2/{path.format(owner)}", token=grace)
        unreal = site.call("GET", f"/api/v2/{path.format('gh/none')}", token=grace)
        assert (real.status, real.body) == (unreal.status, unreal.body) == (404, unreal.body)


def test_what_one_follows_no_more_may_not_be_seen(site: CircleSite, theirs: str) -> None:
    site.post(f"project/{theirs}/pipeline", {}, 201)
    grace = site.add_person("grace", Role.MEMBER)
    site.succeed("POST", f"/api/v1.1/project/{theirs}/follow", None, 404, token=grace)
    assert site.get("pipeline", token=grace)["items"] == []
    assert site.succeed("GET", "/api/v1.1/recent-builds", None, 200, token=grace) == []
    assert site.succeed("GET", "/api/v1.1/projects", None, 200, token=grace) == []


def test_a_body_does_not_reach_into_others(site: CircleSite, theirs: str) -> None:
    grace = site.add_person("grace", Role.MEMBER)
    own, foreign = site.trigger(), site.post(f"project/{theirs}/pipeline", {}, 201)
    [mine] = site.get(f"pipeline/{own['id']}/workflow")["items"]
    [other] = site.get(f"pipeline/{foreign['id']}/workflow")["items"]
    jobs = {job["name"]: job["id"] for job in site.get(f"workflow/{other['id']}/job")["items"]}
    unknown = site.post(f"workflow/{mine['id']}/approve/{new_id()}", None, 404, token=grace)
    assert site.post(f"workflow/{mine['id']}/approve/{jobs['hold']}", None, 404, token=grace) == unknown
    [definition] = site.get(f"projects/{site.find(theirs).uuid}/pipeline-definitions")["items"]
    for wanted in (definition["id"], new_id()):
        told = site.post(f"project/{APP}/pipeline/run", {"definition_id": wanted}, 404, token=grace)
        assert told == {"message": "Pipeline definition not found."}
    site.post(f"workflow/{mine['id']}/cancel", None, 202)
    answers = []
    for wanted in (jobs["build"], new_id()):
        told = site.post(f"workflow/{mine['id']}/rerun", {"jobs": [wanted]}, 404, token=grace)
        answers.append(told["message"].replace(wanted, "…"))
    assert answers[0] == answers[1]
    assert site.get(f"workflow/{other['id']}")["status"] == "running"
