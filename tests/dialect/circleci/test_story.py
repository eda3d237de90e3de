"""A pipeline from its trigger to its end, told through API v2."""

import pytest

from penstock.engine.principal import SERVER
from penstock.engine.project_settings import change_project_settings
from penstock.model.status import Reason, TaskStatus
from penstock.wire.messages import ArtifactStored
from tests.support.circle import APP, BASE, CircleSite


def test_a_pipeline_is_triggered_approved_and_passes(site: CircleSite) -> None:
    made = site.trigger(parameters={"deep": True})
    assert made["state"] == "created"
    assert made["number"] == 1
    [workflow] = site.get(f"pipeline/{made['id']}/workflow")["items"]
    assert workflow["status"] == "running"
    assert workflow["stopped_at"] is None
    site.build()
    jobs = {job["name"]: job for job in site.get(f"workflow/{workflow['id']}/job")["items"]}
    assert [jobs[name]["status"] for name in ("build", "hold", "test")] == ["success", "on_hold", "blocked"]
    assert jobs["hold"]["type"] == "approval"
    assert jobs["test"]["requires"] == {jobs["hold"]["id"]: ["success"]}
    assert site.get(f"workflow/{workflow['id']}")["status"] == "on_hold"
    request = jobs["hold"]["approval_request_id"]
    answer = site.post(f"workflow/{workflow['id']}/approve/{request}", None, 202)
    assert answer == {"message": "Accepted."}
    site.worker.work()
    ended = site.get(f"workflow/{workflow['id']}")
    assert ended["status"] == "success"
    assert ended["stopped_at"] is not None
    me = site.get("me")
    jobs = {job["name"]: job for job in site.get(f"workflow/{workflow['id']}/job")["items"]}
    assert jobs["hold"]["approved_by"] == me["id"] == ended["started_by"]


def test_a_rerun_from_failed_keeps_what_passed_under_its_old_number(site: CircleSite) -> None:
    made = site.trigger()
    site.build()
    [workflow] = site.get(f"pipeline/{made['id']}/workflow")["items"]
    before = {job["name"]: job for job in site.get(f"workflow/{workflow['id']}/job")["items"]}
    site.post(f"workflow/{workflow['id']}/approve/{before['hold']['id']}", None, 202)
    site.worker.work(TaskStatus.FAILED, Reason.TEST)
    again = site.post(f"workflow/{workflow['id']}/rerun", {"from_failed": True}, 202)["workflow_id"]
    newest, first = site.get(f"pipeline/{made['id']}/workflow")["items"]
    assert (newest["id"], first["id"]) == (again, workflow["id"])
    after = {job["name"]: job for job in site.get(f"workflow/{again}/job")["items"]}
    assert after["build"]["id"] == before["build"]["id"]
    assert after["build"]["job_number"] == before["build"]["job_number"]
    assert after["hold"]["status"] == "success"
    assert after["test"]["id"] != before["test"]["id"]
    site.worker.work()
    assert site.get(f"workflow/{again}")["status"] == "success"
    chosen = site.post(f"workflow/{again}/rerun", {"jobs": [before["build"]["id"]], "sparse_tree": True}, 202)
    assert site.get(f"workflow/{chosen['workflow_id']}")["status"] == "running"


@pytest.mark.parametrize(
    "body",
    [
        {"from_failed": True, "jobs": ["01a1fec8-cbfb-7233-8d8e-697f9f43dac6"]},
        {"enable_ssh": True},
        {"sparse_tree": True},
        {"jobs": ["nonsense"]},
        {"enable_ssh": True, "jobs": ["01a1fec8-cbfb-7233-8d8e-697f9f43dac6"]},
        {},
    ],
)
def test_a_rerun_that_makes_no_sense_is_refused(site: CircleSite, body: object) -> None:
    made = site.trigger()
    [workflow] = site.get(f"pipeline/{made['id']}/workflow")["items"]
    assert "message" in site.post(f"workflow/{workflow['id']}/rerun", body, 400)
    assert len(site.get(f"pipeline/{made['id']}/workflow")["items"]) == 1


def test_a_workflow_and_a_job_are_canceled(site: CircleSite) -> None:
    made = site.trigger()
    [workflow] = site.get(f"pipeline/{made['id']}/workflow")["items"]
    [first, *_] = site.get(f"workflow/{workflow['id']}/job")["items"]
    assert site.post(f"project/{APP}/job/{first['job_number']}/cancel") == {"message": "Accepted."}
    assert site.get(f"workflow/{workflow['id']}/job")["items"][0]["status"] == "canceled"
    other = site.trigger(branch="dev")
    [workflow] = site.get(f"pipeline/{other['id']}/workflow")["items"]
    assert site.post(f"workflow/{workflow['id']}/cancel", None, 202) == {"message": "Accepted."}
    assert site.get(f"workflow/{workflow['id']}")["status"] == "canceled"


def test_what_a_job_left_is_listed_and_downloaded(site: CircleSite) -> None:
    site.trigger()
    job = site.build()
    [artifact] = site.get(f"project/{APP}/{job.number}/artifacts")["items"]
    assert artifact == {
        "path": "out/a b.html",
        "node_index": 0,
        "url": f"{BASE}/output/job/{job.uuid}/artifacts/0/out/a%20b.html",
    }
    reply = site.call("GET", artifact["url"].removeprefix(BASE))
    assert (reply.status, reply.body) == (200, b"<p>hi")
    assert reply.headers["content-type"] == "text/html"
    assert "sandbox" in reply.headers["content-security-policy"]
    assert site.call("GET", artifact["url"].removeprefix(BASE), token="").status == 401
    tests = site.get(f"project/{APP}/{job.number}/tests")["items"]
    assert [(test["name"], test["result"], test["run_time"]) for test in tests] == [
        ("adds", "success", 0.0),
        ("fails", "failure", 0.5),
    ]


def test_the_rest_of_a_file_is_downloaded(site: CircleSite) -> None:
    site.trigger()
    path = f"/output/job/{site.build().uuid}/artifacts/0/out/a%20b.html"
    whole = site.call("GET", path)
    assert (whole.status, whole.headers["accept-ranges"]) == (200, "bytes")
    rest = site.call("GET", path, headers={"range": "bytes=2-", "if-range": whole.headers["etag"]})
    assert (rest.status, rest.body, rest.headers["content-range"]) == (206, whole.body[2:], "bytes 2-4/5")
    assert rest.headers["content-length"] == "3"
    few = site.call("GET", path, headers={"range": "bytes=0-0"})
    assert (few.status, few.body) == (206, whole.body[:1])
    assert site.call("GET", path, headers={"range": "bytes=2-", "if-range": '"other"'}).body == whole.body
    none = site.call("GET", path, headers={"range": "bytes=5-"})
    assert (none.status, none.headers["content-range"]) == (416, "bytes */5")
    head = site.call("HEAD", path, headers={"range": "bytes=1-2"})
    assert (head.status, head.body, head.headers["content-length"]) == (206, b"", "2")


@pytest.mark.parametrize(
    "path",
    ["../../../key", "out/../out/a b.html", "%2e%2e/secret", "out%2f..%2f..%2fkey", "%00", "//out/a b.html"],
)
def test_a_path_that_leads_elsewhere_is_unknown(site: CircleSite, path: str) -> None:
    site.trigger()
    job = site.build()
    reply = site.call("GET", f"/output/job/{job.uuid}/artifacts/0/{path}")
    assert reply.status == 404, reply.body


def test_what_an_agent_says_of_a_path_never_leads_elsewhere(site: CircleSite) -> None:
    site.trigger()
    task = site.worker.take()
    blob = site.lab.gateway.upload(task, "artifact", [b"x"])
    for path in ("../../../etc/passwd", "/etc//shadow", ".."):
        said = ArtifactStored(
            task=task, sequence=site.worker.next(task), at=site.lab.clock.now(), path=path, size=1, blob=blob
        )
        site.worker.sync(said)
    found = site.get(f"project/{APP}/1/artifacts")["items"]
    assert [each["path"] for each in found] == ["etc/passwd", "etc/shadow", "file"]
    for each in found:
        assert site.call("GET", each["url"].removeprefix(BASE)).body == b"x"


def test_a_job_is_told_in_full(site: CircleSite) -> None:
    site.trigger()
    job = site.build()
    told = site.get(f"project/{APP}/job/{job.number}")
    assert told["status"] == "success"
    assert [run["index"] for run in told["parallel_runs"]] == [0, 1]
    assert told["executor"] == {"resource_class": "medium", "type": "machine"}
    assert told == site.get(f"jobs/{job.uuid}")


def test_a_config_that_cannot_be_had_makes_an_errored_pipeline(site: CircleSite) -> None:
    site.code.configs["bare"] = ""
    made = site.trigger(branch="bare")
    assert made["state"] == "errored"
    [error] = site.get(f"pipeline/{made['id']}")["errors"]
    assert error["type"] == "config-fetch"
    assert ".circleci/config.yml" in error["message"]


def test_a_config_with_a_mistake_makes_an_errored_pipeline(site: CircleSite) -> None:
    site.code.configs["odd"] = "version: 2.1\njobs: {build: {machine: true, steps: [chekout]}}\n"
    made = site.trigger(branch="odd")
    [error] = site.get(f"pipeline/{made['id']}")["errors"]
    assert error["type"] == "config"
    assert "Cannot find a definition for command named chekout" in error["message"]


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"parameters": {"deeep": True}}, 400, "Unexpected argument(s): deeep"),
        ({"parameters": {"deep": "yes"}}, 400, "Type error for argument deep"),
        ({"parameters": {"word": "x" * 513}}, 400, "word is too long"),
        ({"parameters": {f"p{n}": 1 for n in range(101)}}, 400, "more than 100"),
        ({"branch": "main", "tag": "v1"}, 400, "Only one of branch and tag"),
        ({"branch": "gone"}, 404, "gone"),
        ({"branch": 3}, 400, "branch"),
        ({"parameters": {"deep": {}}}, 400, "parameters"),
        ([], 400, "body"),
    ],
)
def test_a_trigger_that_makes_no_sense_makes_nothing(
    site: CircleSite, body: object, status: int, words: str
) -> None:
    answer = site.post(f"project/{APP}/pipeline", body, status)
    assert words in answer["message"]
    assert site.get(f"project/{APP}/pipeline")["items"] == []


@pytest.mark.parametrize("body", [b"", b"null", b" null\n", b"{}"])
def test_nothing_is_needed_to_trigger_the_default_branch(site: CircleSite, body: bytes) -> None:
    reply = site.send("POST", f"/api/v2/project/{APP}/pipeline", body, {"circle-token": site.token})
    assert reply.status == 201
    assert site.get(f"pipeline/{reply.json()['id']}")["vcs"]["branch"] == "main"


def test_the_newer_trigger_takes_config_and_source_from_different_refs(site: CircleSite) -> None:
    site.code.configs["other"] = "version: 2.1\njobs: {only: {machine: true, steps: [checkout]}}\n"
    [definition] = site.get(f"projects/{site.project.uuid}/pipeline-definitions")["items"]
    body = {"definition_id": definition["id"], "config": {"branch": "other"}, "checkout": {"tag": "v1"}}
    made = site.post(f"project/{APP}/pipeline/run", body, 201)
    told = site.get(f"pipeline/{made['id']}")
    assert told["vcs"]["tag"] == "v1"
    assert "only" in site.get(f"pipeline/{made['id']}/config")["source"]
    unknown = {"definition_id": "01a1fec8-cbfb-7233-8d8e-697f9f43dac6"}
    assert site.post(f"project/{APP}/pipeline/run", unknown, 404)


def test_a_newer_pipeline_of_a_branch_stops_older_ones_where_that_is_set(site: CircleSite) -> None:
    change_project_settings(site.parts, SERVER, site.project, {"autocancel_builds": True})
    older = [site.trigger(branch=branch) for branch in ("dev", "main")]
    newer = [site.trigger(branch=branch) for branch in ("dev", "main")]
    found = [site.get(f"pipeline/{each['id']}/workflow")["items"][0]["status"] for each in older + newer]
    assert found == ["canceled", "running", "running", "running"]


def test_a_project_that_takes_no_new_work_says_so(site: CircleSite) -> None:
    change_project_settings(site.parts, SERVER, site.project, {"block_new_work": True})
    assert "no new work" in site.post(f"project/{APP}/pipeline", {}, 400)["message"]


def test_values_and_config_of_a_pipeline_are_told(site: CircleSite) -> None:
    site.code.configs["main"] += "# << pipeline.number >>\n"
    site.trigger()
    made = site.trigger()
    values = site.get(f"pipeline/{made['id']}/values")
    assert values["pipeline.number"] == 2
    assert values["pipeline.git.branch"] == "main"
    config = site.get(f"pipeline/{made['id']}/config")
    assert config["source"].endswith("# << pipeline.number >>\n")
    assert "workflows:" in config["compiled"]
    assert "setup-config" not in config


def test_a_slug_is_read_in_every_spelling(site: CircleSite) -> None:
    ids = f"circleci/{site.acme.uuid}/{site.project.uuid}"
    for slug in (APP, "github/acme/app", "gh%2Facme%2Fapp", "github%2facme%2fapp", ids):
        assert site.get(f"project/{slug}")["slug"] == APP


def test_numbers_that_are_none_are_unknown(site: CircleSite) -> None:
    for path in ("pipeline/x", "pipeline/-1", f"pipeline/{'9' * 30}", "job/x", "x/tests", "²/artifacts"):
        reply = site.call("GET", f"/api/v2/project/{APP}/{path}")
        assert reply.status == 404, path
