"""Config policies: pushed, asked, and in force; what they are against does not run."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from penstock.kit.ids import new_id
from penstock.model.access import Role, Scope
from tests.support.circle import APP, CONFIG, CircleSite

NO_LARGE = """\
package org

policy_name["no_large"]

enable_rule["small_classes"]

hard_fail["small_classes"] {
	data.meta.vcs.branch == "main"
}

small_classes[reason] {
	some name
	input._compiled_.jobs[name].resource_class == "large"
	reason := sprintf("job %s is large", [name])
}
"""

PINNED = """\
package org

import future.keywords

policy_name["pinned"]

enable_rule["pinned_images"]

pinned_images contains reason if {
	some name, job in input.jobs
	some image in job.docker
	endswith(image.image, ":current")
	reason := sprintf("%s: %s is not pinned", [name, image.image])
}
"""

SETUP = """\
version: 2.1
setup: true
jobs:
  setup:
    machine: true
    steps: [{run: make config}]
workflows:
  setup:
    jobs: [setup]
"""


def root(site: CircleSite) -> str:
    return f"owner/{site.acme.uuid}/context/config"


def push(site: CircleSite, *contents: str) -> dict[str, Any]:
    files = {f"{at}.rego": content for at, content in enumerate(contents)}
    made: dict[str, Any] = site.post(f"{root(site)}/policy-bundle", {"policies": files}, 201)
    return made


def enable(site: CircleSite, *contents: str) -> None:
    push(site, *contents)
    site.succeed("PATCH", f"/api/v2/{root(site)}/decision/settings", {"enabled": True}, 200)


def run(site: CircleSite, branch: str = "main") -> dict[str, Any]:
    made = site.post(f"project/{APP}/pipeline", {"branch": branch}, 201)
    found: dict[str, Any] = site.get(f"pipeline/{made['id']}")
    return found


def test_a_pushed_bundle_can_be_read_and_a_dry_push_changes_nothing(site: CircleSite) -> None:
    assert site.get(f"{root(site)}/policy-bundle") == {}
    path = f"{root(site)}/policy-bundle"
    assert site.post(f"{path}?dry=true", {"policies": {"a": NO_LARGE}}) == {"created": ["no_large"]}
    assert site.get(path) == {}
    assert push(site, NO_LARGE, PINNED) == {"created": ["no_large", "pinned"]}
    bundle = site.get(path)
    [policy] = bundle["no_large"]
    me = site.get("me")["id"]
    assert policy["content"] == NO_LARGE
    assert (policy["name"], policy["created_by"]) == ("no_large", me)
    assert site.get(f"{path}/no_large") == policy
    assert site.call("GET", f"/api/v2/{path}/none").status == 404
    site.lab.clock.advance(5)
    assert push(site, NO_LARGE, PINNED.replace("pinned:", "fixed:") + "\n") == {"modified": ["pinned"]}
    assert site.get(f"{path}/no_large") == policy
    assert site.get(f"{path}/pinned")["created_at"] > policy["created_at"]
    assert push(site) == {"deleted": ["no_large", "pinned"]}
    assert site.get(path) == {}


@pytest.mark.parametrize(
    ("content", "want"),
    [
        ('package bad\npolicy_name["x"]', 'expected one of packages [org] but got "package bad"'),
        ("package org\nrule = 1", 'first rule declaration must be "policy_name" but found "rule"'),
        ("package org", 'must declare rule "policy_name" but module contains no rules'),
        ('package org\npolicy_name["a b"]', "must use alphanumeric and underscore characters only"),
        (f'package org\npolicy_name["{"x" * 81}"]', "must be maximum 80 characters but got 81"),
        ('package org\npolicy_name["x"]\na { data.meta.branch == "x" }', "use data.meta.vcs.branch instead"),
        ('package org\npolicy_name["x"]\na = http.send({})', "line 3: undefined function http.send"),
        ('package org\npolicy_name["x"]\na { b }\nb { a }', "rule data.org.a is recursive"),
        ('package org\npolicy_name["x"]\na = = 2', 'failed to parse file "0.rego": line 3: unexpected ='),
        ('package org\npolicy_name["x\x00"]', "illegal character"),
        ("\ufeffnonsense", "package expected"),
        ("{" * 5000, "package expected"),
    ],
)
def test_a_bundle_that_is_none_is_refused_with_the_reason(site: CircleSite, content: str, want: str) -> None:
    push(site, PINNED)
    reply = site.call("POST", f"/api/v2/{root(site)}/policy-bundle", {"policies": {"0.rego": content}})
    assert reply.status == 400
    assert want in reply.json()["error"]
    assert list(site.get(f"{root(site)}/policy-bundle")) == ["pinned"]


def test_two_policies_of_one_name_and_a_bundle_that_is_too_large_are_refused(site: CircleSite) -> None:
    path = f"/api/v2/{root(site)}/policy-bundle"
    twice = site.call("POST", path, {"policies": {"a": PINNED, "b": PINNED}})
    assert twice.json()["error"] == 'failed to parse bundle: policy "pinned" declared 2 times'
    large = site.call("POST", path, {"policies": {"a": f"{PINNED}# {'x' * (5 << 19)}"}})
    assert large.status == 413


def test_a_decision_has_just_what_is_not_empty(site: CircleSite) -> None:
    path = f"{root(site)}/decision"
    assert site.post(path, {"input": CONFIG}) == {"status": "PASS"}
    push(site, NO_LARGE, PINNED)
    config = f"{CONFIG}_compiled_:\n  jobs: {{test: {{resource_class: large}}}}\n"
    soft = site.post(path, {"input": config, "metadata": {"vcs": {"branch": "dev"}}})
    assert soft == {
        "status": "SOFT_FAIL",
        "enabled_rules": ["pinned_images", "small_classes"],
        "soft_failures": [
            {"rule": "pinned_images", "reason": "test: cimg/base:current is not pinned"},
            {"rule": "small_classes", "reason": "job test is large"},
        ],
    }
    hard = site.post(path, {"input": config, "metadata": {"vcs": {"branch": "main"}, "build_number": 7}})
    assert hard["status"] == "HARD_FAIL"
    assert hard["hard_failures"] == [{"rule": "small_classes", "reason": "job test is large"}]
    assert site.call("POST", f"/api/v2/{path}", {"input": "a: [1"}).status == 400
    assert site.call("POST", f"/api/v2/{path}", {"input": "[1]"}).status == 400
    assert site.call("POST", f"/api/v2/{path}", {}).status == 400


def test_the_log_can_be_filtered_and_paged_and_knows_the_bundle(site: CircleSite) -> None:
    path, project = f"{root(site)}/decision", new_id()
    push(site, PINNED)
    for number in range(22):
        meta = {"build_number": number, "project_id": project, "vcs": {"branch": f"b{number % 2}"}}
        site.post(path, {"input": CONFIG if number == 3 else "{}", "metadata": meta})
        site.lab.clock.advance(60)
    first = site.get(path)
    assert [each["metadata"]["build_number"] for each in first] == list(range(21, 1, -1))
    assert [each["metadata"]["build_number"] for each in site.get(f"{path}?offset=20")] == [1, 0]
    [bad] = site.get(f"{path}?status=SOFT_FAIL")
    assert bad["metadata"]["build_number"] == 3
    assert site.get(f"{path}/{bad['id']}") == bad
    assert len(site.get(f"{path}?branch=b1")) == 11
    assert len(site.get(f"{path}?project_id={project}&build_number=4")) == 1
    assert site.get(f"{path}?project_id={new_id()}") == []
    instant = bad["created_at"]
    assert len(site.get(f"{path}?before={instant}")) == 3
    assert len(site.get(f"{path}?after={instant}&branch=b0")) == 9
    push(site, NO_LARGE)
    assert list(bad["policies"]) == ["pinned"]
    assert len(bad["policies"]["pinned"]) == 128
    bundle = site.get(f"{path}/{bad['id']}/policy-bundle")
    assert bundle["pinned"][0]["content"] == PINNED
    assert site.call("GET", f"/api/v2/{path}/{new_id()}").json() == {"error": "decision log not found"}
    for query in ("offset=-1", "after=yesterday", "offset=x"):
        assert site.call("GET", f"/api/v2/{path}?{query}").status == 400


@pytest.mark.parametrize(
    "metadata",
    [
        {"vcs": 3, "project_id": None, "build_number": 2**70},
        {"vcs": {"branch": "\x00zero"}, "build_number": True, "project_id": ["x"]},
        {"vcs": {"branch": "é" * 5000}, "build_number": -1.5},
        {"deep": [[[[[[{}]]]]]], "": "", "x" * 1000: None},
        None,
    ],
)
def test_whatever_is_said_of_a_config_is_kept(site: CircleSite, metadata: Any) -> None:  # noqa: ANN401 - anything
    push(site, PINNED)
    path = f"{root(site)}/decision"
    assert site.post(path, {"input": "{}", "metadata": metadata})["status"] == "PASS"
    [entry] = site.get(path)
    assert entry["decision"] == {"status": "PASS", "enabled_rules": ["pinned_images"]}
    for query in ("status=%00", "branch=%00&project_id=%F0", "build_number=%00'", "offset=9007199254740992"):
        assert site.call("GET", f"/api/v2/{path}?{query}").status in {200, 400}


def test_a_hard_failure_stops_a_pipeline_and_is_in_the_log(site: CircleSite) -> None:
    enable(site, NO_LARGE, PINNED)
    pipeline = run(site)
    assert pipeline["state"] == "errored"
    assert pipeline["errors"] == [{"type": "config", "message": "policy small_classes: job test is large"}]
    assert site.get(f"pipeline/{pipeline['id']}/workflow")["items"] == []
    [entry] = site.get(f"{root(site)}/decision")
    assert entry["decision"]["status"] == "HARD_FAIL"
    assert entry["metadata"] == {
        "project_id": site.project.uuid,
        "build_number": pipeline["number"],
        "ssh_rerun": False,
        "vcs": {
            "branch": "main",
            "origin_repository_url": "https://github.com/acme/app.git",
            "target_repository_url": "https://github.com/acme/app.git",
        },
    }
    assert not site.worker.claim(8)


def test_a_soft_failure_runs_and_is_shown(site: CircleSite) -> None:
    enable(site, NO_LARGE, PINNED)
    pipeline = run(site, "dev")
    assert pipeline["state"] == "created"
    bearer = {"authorization": f"Bearer {site.token}"}
    path = f"/api/penstock/v1/pipelines/{pipeline['id']}"
    picture = site.succeed("GET", path, None, 200, headers=bearer)
    assert picture["warnings"] == [
        "policy pinned_images: test: cimg/base:current is not pinned",
        "policy small_classes: job test is large",
    ]
    assert [each["decision"]["status"] for each in site.get(f"{root(site)}/decision")] == ["SOFT_FAIL"]


def test_what_is_switched_off_or_another_s_judges_nothing(site: CircleSite) -> None:
    push(site, NO_LARGE)
    assert site.get(f"{root(site)}/decision/settings") == {"enabled": False}
    assert run(site)["state"] == "created"
    site.succeed("PATCH", f"/api/v2/{root(site)}/decision/settings", {"enabled": True}, 200)
    assert site.get(f"{root(site)}/decision/settings") == {"enabled": True}
    assert run(site)["state"] == "errored"
    site.succeed("PATCH", f"/api/v2/{root(site)}/decision/settings", {}, 200)
    assert run(site)["state"] == "errored"
    site.succeed("PATCH", f"/api/v2/{root(site)}/decision/settings", {"enabled": False}, 200)
    assert run(site)["state"] == "created"


def test_policies_that_cannot_decide_stop_the_pipeline(site: CircleSite) -> None:
    enable(site, 'package org\npolicy_name["x"]\na = 1 { input.version }\na = 2 { input.version }')
    pipeline = run(site)
    assert pipeline["state"] == "errored"
    assert "complete rules must not produce multiple outputs" in pipeline["errors"][0]["message"]
    assert [each["decision"]["status"] for each in site.get(f"{root(site)}/decision")] == ["ERROR"]


def test_the_config_that_continues_a_pipeline_is_judged_as_well(site: CircleSite) -> None:
    site.code.configs["main"] = SETUP
    enable(site, NO_LARGE)
    pipeline = run(site)
    given = site.worker.claim(1)[0]
    site.worker.begin(given.task)
    key = given.environment["CIRCLE_CONTINUATION_KEY"]
    site.post("pipeline/continue", {"continuation-key": key, "configuration": CONFIG})
    after = site.get(f"pipeline/{pipeline['id']}")
    assert after["state"] == "errored"
    assert after["errors"][0]["message"] == "policy small_classes: job test is large"
    log = site.get(f"{root(site)}/decision")
    assert [each["decision"]["status"] for each in log] == ["HARD_FAIL", "PASS"]


def test_only_administrators_change_policies_and_strangers_see_none(site: CircleSite) -> None:
    member, viewer = site.add_person("member", Role.MEMBER), site.add_person("viewer", Role.VIEWER)
    stranger, reader = site.add_person("stranger"), site.add_person("reader", Role.ADMIN, Scope.READ)
    path = f"/api/v2/{root(site)}"
    body = {"policies": {"a": PINNED}}
    for token, want in ((member, 403), (viewer, 403), (reader, 403), (stranger, 404)):
        assert site.call("POST", f"{path}/policy-bundle", body, token=token).status == want
        assert site.call("POST", f"{path}/policy-bundle?dry=true", body, token=token).status == want
        settings = site.call("PATCH", f"{path}/decision/settings", {"enabled": True}, token=token)
        assert settings.status == want
    assert site.call("GET", f"{path}/policy-bundle", token=member).status == 200
    assert site.call("POST", f"{path}/decision", {"input": "{}"}, token=member).status == 200
    assert site.call("GET", f"{path}/policy-bundle", token=stranger).status == 404
    wrong = site.call("GET", f"/api/v2/owner/{site.acme.uuid}/context/other/policy-bundle")
    assert (wrong.status, wrong.json()) == (400, {"error": "context: must be a valid value."})
    assert site.call("GET", "/api/v2/owner/nonsense/context/config/policy-bundle").status == 400


def test_pushes_at_the_same_time_leave_one_of_the_bundles_whole(site: CircleSite) -> None:
    bundles = [{f"p{at}": PINNED.replace('"pinned"', f'"p{at}_{each}"') for at in range(3)} for each in "ab"]

    def send(files: dict[str, str]) -> int:
        return site.call("POST", f"/api/v2/{root(site)}/policy-bundle", {"policies": files}).status

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(send, bundles * 3)) == {201}
    names = sorted(site.get(f"{root(site)}/policy-bundle"))
    assert names in ([f"p{at}_a" for at in range(3)], [f"p{at}_b" for at in range(3)])
