"""The calls of v1.1 and of undocumented addresses that clients still make."""

import pytest

from penstock.engine.organizations import create_organization
from penstock.engine.principal import SERVER
from penstock.engine.projects import NewProject, create_project
from penstock.model.access import Role, Scope
from penstock.model.output import LogChunk
from penstock.model.status import JobStatus, Reason, TaskStatus
from penstock.store.logs import append_chunks, store_payload
from penstock.store.packing import pack
from tests.support.circle import APP, CircleSite

OLD = f"/api/v1.1/project/{APP}"


def say(site: CircleSite, text: bytes) -> int:
    """The number of the job whose first copy printed the text in its first step."""
    site.trigger()
    job = site.build()
    task = site.lab.tasks(site.lab.every_pipeline()[0], "build")[0]
    half = len(text) // 2
    with site.parts.db.write() as tx:
        for sequence, (offset, piece) in enumerate([(0, text[:half]), (half, text[half:])]):
            chunk = LogChunk(
                task_id=task.id,
                step=0,
                sequence=sequence,
                first_line=0,
                lines=piece.count(b"\n"),
                offset=offset,
                size=len(piece),
                created_at=1,
            )
            payload = store_payload(site.parts.blobs, task.uuid, 0, offset, pack(piece))
            append_chunks(tx, [(chunk, payload)])
    assert job.number is not None
    return job.number


def test_a_build_is_told_with_its_steps(site: CircleSite) -> None:
    number = say(site, b"x")
    build = site.succeed("GET", f"{OLD}/{number}", None, 200)
    assert (build["build_num"], build["status"], build["lifecycle"]) == (number, "success", "finished")
    assert build["workflows"]["job_name"] == "build"
    assert build["has_artifacts"] is True
    [step] = build["steps"]
    assert [action["index"] for action in step["actions"]] == [0, 1]


def test_output_is_read_raw_and_wrapped_without_tearing_characters(site: CircleSite) -> None:
    text = "né\n" * 3 + "€"
    number = say(site, text.encode())
    build = site.succeed("GET", f"{OLD}/{number}", None, 200)
    path = build["steps"][0]["actions"][0]["output_url"].removeprefix("http://ci.example.com")
    wrapped = site.succeed("GET", path, None, 200)
    assert "".join(piece["message"] for piece in wrapped) == text
    plain = site.call("GET", f"{path}?file=true")
    raw = site.call("GET", f"/api/private/output/raw/{APP}/{number}/output/0/0")
    assert plain.body == raw.body == text.encode()
    assert raw.headers["content-type"].startswith("text/plain")
    assert site.call("GET", f"/api/private/output/raw/{APP}/{number}/error/0/0").body == b""
    for missing in ("output/0/9", "output/7/0", "other/0/0"):
        assert site.call("GET", f"/api/private/output/raw/{APP}/{number}/{missing}").status == 404


@pytest.mark.parametrize(
    ("query", "statuses"),
    [
        ("", ["running", "failed", "success"]),
        ("?filter=running", ["running"]),
        ("?filter=completed", ["failed", "success"]),
        ("?filter=failed", ["failed"]),
        ("?filter=successful&shallow=true", ["success"]),
        ("?limit=1&offset=1", ["failed"]),
        ("?limit=0", []),
    ],
)
@pytest.mark.parametrize("place", ["", "/tree/main"])
def test_builds_are_listed_newest_first(
    site: CircleSite, query: str, statuses: list[str], place: str
) -> None:
    site.trigger()
    site.build()
    site.trigger()
    first, second = site.worker.claim(2)
    site.worker.begin(first.task)
    site.worker.end(first.task, TaskStatus.FAILED, Reason.TEST)
    site.worker.end(second.task)
    site.trigger()
    site.worker.begin(site.worker.take())
    found = site.succeed("GET", f"{OLD}{place}{query}", None, 200)
    assert [build["status"] for build in found] == statuses


def test_a_build_is_retried_and_canceled(site: CircleSite) -> None:
    number = say(site, b"x")
    site.post(f"workflow/{site.lab.workflow(site.lab.every_pipeline()[0]).uuid}/cancel", None, 202)
    again = site.succeed("POST", f"{OLD}/{number}/retry", None, 200)
    assert again["build_num"] != number
    stopped = site.succeed("POST", f"{OLD}/{again['build_num']}/cancel", None, 200)
    assert stopped["status"] == "canceled"
    pipeline = site.lab.every_pipeline()[0]
    assert site.lab.job(pipeline, "build").status is JobStatus.CANCELED


def test_a_branch_is_built(site: CircleSite) -> None:
    site.code.configs["feature/new"] = site.code.configs["main"]
    made = site.succeed("POST", f"{OLD}/tree/feature%2Fnew", {"parameters": {"deep": True}}, 201)
    assert (made["branch"], made["workflows"]["job_name"]) == ("feature/new", "build")
    assert site.succeed("POST", f"{OLD}/build", {"branch": "dev"}, 200)["body"] == "Build created"


def test_a_project_or_a_tag_is_built(site: CircleSite) -> None:
    path = f"/api/v1.1/project/{APP}"
    assert site.succeed("POST", path, None, 201)["branch"] == "main"
    for ending in ("", "/tree/main"):
        built = site.succeed(
            "POST", f"{path}{ending}", {"tag": "v1", "revision": None, "parallel": None}, 201
        )
        assert (built["vcs_tag"], built["branch"]) == ("v1", None)
    before = len(site.lab.every_pipeline())
    for ending in ("", "/tree/main", "/build"):
        refused = site.succeed("POST", f"{path}{ending}", {"revision": "a" * 40}, 400)
        assert "name a branch or a tag" in refused["message"]
    assert len(site.lab.every_pipeline()) == before


def test_the_newest_artifacts_of_a_branch_are_found(site: CircleSite) -> None:
    assert site.call("GET", f"{OLD}/latest/artifacts").status == 404
    say(site, b"x")
    site.trigger()
    [artifact] = site.succeed("GET", f"{OLD}/latest/artifacts?branch=main&filter=successful", None, 200)
    assert artifact["path"] == "out/a b.html"


def test_projects_are_followed_and_left(site: CircleSite) -> None:
    member = site.add_person("grace", Role.VIEWER)

    def followed() -> list[str]:
        page = site.succeed("GET", "/api/private/me/followed-projects", None, 200, token=member)
        return [project["slug"] for project in page["items"]]

    assert followed() == []
    site.succeed("POST", f"{OLD}/follow", None, 200, token=member)
    assert followed() == [APP]
    [project] = site.succeed("GET", "/api/v1.1/projects", None, 200, token=member)
    assert (project["username"], project["reponame"]) == ("acme", "app")
    site.succeed("POST", f"{OLD}/unfollow", None, 200, token=member)
    assert followed() == []


def test_the_repositories_one_sees_come_in_pages(site: CircleSite) -> None:
    for name in ("lib", "web"):
        site.add_project(name)
    other = create_organization(site.parts, SERVER, host="bb", name="other")
    create_project(
        site.parts, SERVER, other, NewProject(name="theirs", url="https://bitbucket.org/other/theirs")
    )
    grace = site.add_person("grace", Role.MEMBER)
    site.succeed("POST", f"/api/v1.1/project/{APP}/follow", None, 200, token=grace)
    path = "/api/v1.1//user/repos/github"
    first, second, third = (
        site.succeed("GET", f"{path}?per-page=2&page={page}", None, 200, token=grace) for page in (1, 2, 3)
    )
    assert [(each["name"], each["following"]) for each in first] == [("app", True), ("lib", False)]
    assert [each["name"] for each in second] == ["web"]
    assert third == site.succeed("GET", "/api/v1.1/user/repos/bitbucket", None, 200, token=grace) == []
    assert [each["name"] for each in site.succeed("GET", "/api/v1.1/user/repos/bitbucket", None, 200)] == [
        "theirs"
    ]
    for wrong in ("user/repos/a%20b", "user/repos/github?page=0", "user/repos/github?per-page=101"):
        assert set(site.succeed("GET", f"/api/v1.1/{wrong}", None, 400)) == {"message"}


def test_a_config_of_the_request_needs_a_token_that_may_write(site: CircleSite) -> None:
    inline = "version: 2.1\njobs: {build: {machine: true, steps: [{run: env}]}}"
    body = {"config": {"content": inline}}
    runner = site.add_person("runner", Role.MEMBER, Scope.RUN)
    assert site.post(f"project/{APP}/pipeline/run", body, 403, token=runner)
    made = site.post(f"project/{APP}/pipeline/run", body, 201)
    assert site.get(f"pipeline/{made['id']}/config")["source"] == inline
    assert site.post(f"project/{APP}/pipeline/run", {"config": {"content": ""}}, 201, token=runner)


def test_configs_are_compiled_with_values_and_parameters(site: CircleSite) -> None:
    text = """\
version: 2.1
parameters: {word: {type: string, default: a}}
jobs:
  build: {machine: true, steps: [{run: "echo << pipeline.parameters.word >> << pipeline.git.branch >>"}]}
"""
    options = {"pipeline_parameters": {"word": "hi"}, "pipeline_values": {"git.branch": "dev"}}
    answer = site.post("compile-config-with-defaults", {"config_yaml": text, "options": options})
    assert (answer["valid"], answer["errors"]) == (True, [])
    assert "echo hi dev" in answer["output-yaml"]
    attributes = {"config": "jobs: [", "pipeline_values": {"pipeline.number": "7"}}
    failed = site.succeed("POST", "/api/v3/configs/compile", {"data": {"attributes": attributes}}, 200)
    assert failed["data"]["attributes"]["outcome"] == "failed"
    assert failed["meta"]["messages"][0]["title"]
    unknown = {"data": {"attributes": attributes | {"more": 1}}}
    assert site.call("POST", "/api/v3/configs/compile", unknown).status == 400


def test_projects_of_deeper_owners_are_named_in_one_segment(site: CircleSite) -> None:
    owner = create_organization(site.parts, SERVER, host="gl", name="group/team")
    create_project(site.parts, SERVER, owner, NewProject(name="lib", url="https://example.com/lib.git"))
    assert site.get("project/gitlab%2Fgroup%2Fteam%2Flib")["slug"] == "gl/group/team/lib"
