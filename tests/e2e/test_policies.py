"""Config policies on live servers: pushed by the command line, in force for what git announces."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from penstock.store import pipelines
from tests.support.databases import PostgresServer, start_postgresql
from tests.support.developer import TOKEN, Developer, developer_at
from tests.support.processes import wait_until
from tests.support.pushing import SERVE, Origin, add_built_project, announce, sealer_of, tell_push
from tests.support.server import ServerProcess, joined_parts, running_server

CONFIG = """\
version: 2.1
jobs:
  build:
    machine: true
    steps: [{run: make}]
workflows: {main: {jobs: [build]}}
"""

GOOD = CONFIG.replace("run: make", "run: {name: Say, command: echo hi}")

NAMED = """\
package org

policy_name["named"]

enable_hard["named_steps"]

named_steps[reason] {
	step := input.jobs[job].steps[_]
	is_string(step.run)
	reason := sprintf("a step of %s has no name: %s", [job, step.run])
}
"""

ENDLESS = """\
package org

policy_name["endless"]

enable_rule["r"]

many = numbers.range(0, 2000)

r = count({[a, b, c] | a := many[_]; b := many[_]; c := many[_]})
"""


@pytest.fixture(scope="module")
def developer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Developer]:
    folder: Path = tmp_path_factory.mktemp("policies")
    files = {".circleci/config.yml": CONFIG, "policies/named.rego": NAMED}
    with developer_at(folder, files) as made:
        made.login()
        made.succeed("project", "add")
        yield made


def test_a_team_pushes_policies_and_they_stop_what_breaks_them(developer: Developer) -> None:
    assert developer.succeed("policy", "push", "policies", "--dry-run") == "named would be created\n"
    assert developer.succeed("policy", "fetch") == ""
    assert developer.succeed("policy", "push", "policies") == "named is created\n"
    assert developer.succeed("policy", "diff", "policies") == "The policies are the same.\n"
    assert developer.succeed("policy", "fetch", "named") == NAMED
    assert developer.succeed("policy", "settings") == "Pipelines are not judged by the policies.\n"
    assert developer.json("policy", "settings", "--enabled", "true") == [{"enabled": True}]
    shown = developer.succeed("trigger", "--watch", status=2)
    assert "policy named_steps: a step of build has no name: make" in shown
    [entry] = developer.json("policy", "logs", "--status", "HARD_FAIL")
    assert entry["decision"]["hard_failures"] == [
        {"rule": "named_steps", "reason": "a step of build has no name: make"}
    ]
    assert developer.json("policy", "logs", entry["id"]) == [entry]
    assert "a step of build has no name" in developer.succeed("policy", "logs")
    soft = NAMED.replace("enable_hard", "enable_rule")
    (developer.folder / "policies/named.rego").write_text(soft)
    refused = developer.call("policy", "push", "policies")
    assert (refused.status, "add --yes" in refused.err) == (2, True)
    assert developer.json("policy", "push", "policies", "--yes") == [{"modified": ["named"]}]
    made = developer.call("trigger", "--watch")
    assert "warning: policy named_steps: a step of build has no name: make" in made.out
    assert "(1 policy warnings)" in developer.succeed("runs", "--server", developer.server.url)
    assert developer.json("policy", "decide")[0]["status"] == "SOFT_FAIL"
    (developer.folder / "policies/named.rego").unlink()
    assert developer.json("policy", "push", "policies", "--yes") == [{"deleted": ["named"]}]
    assert developer.json("policy", "decide")[0] == {"status": "PASS"}


def test_policies_are_tried_without_a_server(developer: Developer, tmp_path: Path) -> None:
    (tmp_path / "named.rego").write_text(NAMED)
    decided = developer.call("policy", "decide", "--policies", str(tmp_path))
    assert (decided.status, decided.out) == (
        1,
        "HARD_FAIL\n  hard  named_steps: a step of build has no name: make\n",
    )
    (tmp_path / "good.yml").write_text(GOOD)
    good = developer.json("policy", "decide", str(tmp_path / "good.yml"), "--policies", str(tmp_path))
    assert good == [{"status": "PASS", "enabled_rules": ["named_steps"]}]
    (tmp_path / "bad.yml").write_text("jobs: [")
    bad = developer.call("policy", "decide", str(tmp_path / "bad.yml"), "--policies", str(tmp_path))
    assert bad.status == 2
    (tmp_path / "named_test.yaml").write_text("""\
test_named:
  compile: true
  input: {version: 2.1, jobs: {a: {machine: true, steps: [{run: x}]}},
          workflows: {w: {jobs: [a]}}}
  decision:
    status: HARD_FAIL
    enabled_rules: [named_steps]
    hard_failures: [{rule: named_steps, reason: "a step of a has no name: x"}]
  cases:
    wrong: {decision: {status: PASS}}
""")
    report = tmp_path / "report.xml"
    tested = developer.call("policy", "test", str(tmp_path), "--junit", str(report), "-v")
    assert tested.status == 1
    assert "ok    test_named" in tested.out
    assert "FAIL  test_named/wrong" in tested.out
    assert "1/2 tests passed" in tested.out
    assert '<failure message="failed">' in report.read_text()
    lines = developer.json("policy", "test", str(tmp_path), status=1)
    assert [(each["Name"], each["Passed"]) for each in lines] == [
        ("test_named", True),
        ("test_named/wrong", False),
    ]
    (tmp_path / "bad.rego").write_text("package org\nnonsense")
    broken = developer.call("policy", "decide", "--policies", str(tmp_path))
    assert broken.status == 2
    assert "first rule declaration must be" in broken.err
    assert "Traceback" not in broken.err


def ask(server: ServerProcess, method: str, path: str, body: object = None) -> httpx.Response:
    address = f"{server.url}/api/v2/{path}"
    return server.client.request(method, address, json=body, headers={"circle-token": TOKEN}, timeout=60)


def push_policies(server: ServerProcess, owner: str, **policies: str) -> None:
    root = f"owner/{owner}/context/config"
    pushed = ask(server, "POST", f"{root}/policy-bundle", {"policies": policies})
    assert pushed.status_code == 201, pushed.text
    assert ask(server, "PATCH", f"{root}/decision/settings", {"enabled": True}).status_code == 200


def test_a_push_that_breaks_a_policy_runs_nothing(tmp_path: Path) -> None:
    origin = Origin(tmp_path, CONFIG)
    environment = {"PENSTOCK_ADMIN_TOKEN": TOKEN}
    with (
        running_server(tmp_path / "data", *SERVE, environment=environment) as server,
        joined_parts(server.folder.root) as parts,
    ):
        project = add_built_project(parts, sealer_of(server), str(origin.bare))
        owner = ask(server, "GET", "project/gh/acme/app").json()["organization_id"]
        push_policies(server, owner, named=NAMED)
        for config, state in ((CONFIG, "errored"), (GOOD, "created")):
            sha = origin.push("main", files={".circleci/config.yml": config})
            answer = announce(server, project, tell_push(sha))
            [promised] = answer.json()["pipelines"]

            def is_there(uuid: str = promised["id"]) -> bool:
                with parts.db.read() as tx:
                    return pipelines.pipeline_by_uuid(tx, uuid) is not None

            wait_until(is_there, seconds=60, what="the pipeline is there")
            pipeline = ask(server, "GET", f"pipeline/{promised['id']}").json()
            assert pipeline["state"] == state
            workflows = ask(server, "GET", f"pipeline/{promised['id']}/workflow").json()["items"]
            assert bool(workflows) == (state == "created")
        log = ask(server, "GET", f"owner/{owner}/context/config/decision").json()
        assert [each["decision"]["status"] for each in log] == ["PASS", "HARD_FAIL"]


@pytest.mark.slow
def test_a_server_answers_while_policies_burn_their_limit(tmp_path: Path) -> None:
    environment = {"PENSTOCK_ADMIN_TOKEN": TOKEN}
    with (
        running_server(tmp_path / "data", *SERVE, environment=environment) as server,
        joined_parts(server.folder.root) as parts,
    ):
        add_built_project(parts, sealer_of(server), "https://github.com/acme/app.git")
        owner = ask(server, "GET", "project/gh/acme/app").json()["organization_id"]
        push_policies(server, owner, endless=ENDLESS)
        path = f"owner/{owner}/context/config/decision"
        statuses: list[tuple[int, str]] = []

        def burn() -> None:
            with httpx.Client(timeout=120) as client:
                answer = client.post(
                    f"{server.url}/api/v2/{path}", json={"input": "{}"}, headers={"circle-token": TOKEN}
                )
                statuses.append((answer.status_code, answer.json().get("status", "")))

        threads = [threading.Thread(target=burn) for _ in range(4)]
        for each in threads:
            each.start()
        slowest = 0.0
        while any(each.is_alive() for each in threads):
            began = time.monotonic()
            assert ask(server, "GET", "me").status_code == 200
            assert ask(server, "GET", f"owner/{owner}/context/config/policy-bundle").status_code == 200
            slowest = max(slowest, time.monotonic() - began)
        for each in threads:
            each.join()
        assert set(statuses) <= {(200, "ERROR"), (503, "")}
        assert (200, "ERROR") in statuses
        assert slowest < 5, "a request waited for policies of others"


@pytest.fixture
def postgresql() -> Iterator[PostgresServer]:
    server = start_postgresql()
    yield server
    server.stop()


@pytest.mark.postgres
def test_servers_share_the_policies(tmp_path: Path, postgresql: PostgresServer) -> None:
    url = postgresql.new_database()
    shared = ("--database", url, "--blobs", str(tmp_path / "blobs"), "--slots", "0")
    environment = {"PENSTOCK_ADMIN_TOKEN": TOKEN}
    with (
        running_server(tmp_path / "one", *shared, environment=environment) as one,
        running_server(tmp_path / "two", *shared, environment=environment) as two,
        joined_parts(tmp_path / "mine", url) as parts,
    ):
        add_built_project(parts, sealer_of(one), "https://github.com/acme/app.git")
        owner = ask(one, "GET", "project/gh/acme/app").json()["organization_id"]
        path = f"owner/{owner}/context/config/decision"
        push_policies(one, owner, named=NAMED)
        first = ask(two, "POST", path, {"input": CONFIG}).json()
        assert first["status"] == "HARD_FAIL"
        push_policies(two, owner, named=NAMED.replace("enable_hard", "enable_rule"))
        assert ask(one, "POST", path, {"input": CONFIG}).json()["status"] == "SOFT_FAIL"
        log = ask(one, "GET", path).json()
        assert [each["decision"]["status"] for each in log] == ["SOFT_FAIL", "HARD_FAIL"]
        assert log == ask(two, "GET", path).json()
        assert log[0]["policies"] != log[1]["policies"]
