"""The functions that policies may use, as CircleCI documents them: what they find and how they say it."""

import pytest

from tests.support.rego import evaluate

ORBS = {"node": "circleci/node@5.1.0", "evil": "bad/evil@1.2.3", "own": "bad/evil@2.0.0"}
RIDDLE = {"orbs": {"node": "circleci/<<pipeline.parameters.orb>>@1"}}
BAN = "{} orb is not allowed in CircleCI configuration"
NO_RIDDLES = "invalid orb: {} - parameterized orbs are disallowed"

ORB_CASES: dict[str, tuple[str, object, object]] = {
    "names with versions": ("config.orbs", {"orbs": {"node": "circleci/node@5.1"}}, {"circleci/node": "5.1"}),
    "no orbs": ("config.orbs", {}, {}),
    "a banned orb": ('config.ban_orbs(["bad/evil"])', {"orbs": ORBS}, {"bad/evil": BAN.format("bad/evil")}),
    "nothing banned is used": ('config.ban_orbs(["bad/other"])', {"orbs": {"n": "circleci/node@5"}}, {}),
    "a banned version": (
        'config.ban_orbs_version(["circleci/node@5.1.0"])',
        {"orbs": ORBS},
        {"circleci/node@5.1.0": BAN.format("circleci/node@5.1.0")},
    ),
    "another version is not banned": ('config.ban_orbs_version(["circleci/node@4.0.0"])', {"orbs": ORBS}, {}),
    "an orb that is not in the list": (
        'config.orbs_allowlist({"circleci/node"})',
        {"orbs": {"a": "circleci/node@1", "b": "bad/evil@1"}},
        {"bad/evil@1": BAN.format("bad/evil")},
    ),
    "all orbs are in the list": ('config.orbs_allowlist({"some/orb"})', {"orbs": {"a": "some/orb@1"}}, {}),
    "an orb from a parameter": (
        'config.ban_orbs(["bad/evil"])',
        RIDDLE,
        {RIDDLE["orbs"]["node"]: NO_RIDDLES.format(RIDDLE["orbs"]["node"])},
    ),
    "no orbs to ban": ('config.ban_orbs(["bad/evil"])', {}, {}),
}  # fmt: skip

WORKFLOWS = {
    "workflows": {
        "main": {
            "jobs": [
                {"build": {"context": "deploy", "filters": {"branches": {"only": "main"}}}},
                {"test": {"context": ["shared", "other"]}},
                "lint",
            ]
        }
    }
}
CONFIG = {**WORKFLOWS, "_compiled_": WORKFLOWS}
USES = "main.{}: uses context value(s)"

CONTEXT_CASES = {
    "blocked": (
        'config.contexts_blocked_by_project_ids(["p1"], ["deploy", "other"])',
        [
            f"{USES.format('build')} in blocklist for project: deploy",
            f"{USES.format('test')} in blocklist for project: other",
        ],
    ),
    "blocked for others": ('config.contexts_blocked_by_project_ids(["p2"], ["deploy"])', []),
    "one project, no list": (
        'config.contexts_blocked_by_project_ids("p1", "deploy")',
        [f"{USES.format('build')} in blocklist for project: deploy"],
    ),
    "not allowed": (
        'config.contexts_allowed_by_project_ids(["p1"], ["deploy"])',
        [f"{USES.format('test')} not in allowlist for project: other, shared"],
    ),
    "reserved": (
        'config.contexts_reserved_by_project_ids(["p2"], ["shared"])',
        [f"{USES.format('test')} reserved to other projects: shared"],
    ),
    "reserved for this": ('config.contexts_reserved_by_project_ids(["p1"], ["shared"])', []),
    "reserved for branches": (
        'config.contexts_reserved_by_branches(["main"], ["deploy", "other"])',
        [f"{USES.format('test')}: other - that must be limited to branches: main"],
    ),
    "on another branch": (
        'config.contexts_reserved_by_branches(["release"], ["deploy"])',
        [f"{USES.format('build')}: deploy - that cannot be used with branches: main"],
    ),
}

UTILS = [
    ("utils.to_set([1, 1, 2])", [1, 2]),
    ("utils.to_set({1})", [1]),
    ('utils.to_set("a")', ["a"]),
    ("utils.to_array([1])", [1]),
    ('utils.to_array("a")', ["a"]),
    ('utils.get_element_name("checkout")', "checkout"),
    ('utils.get_element_name({"run": {"command": "x"}})', "run"),
    ('utils.is_parameterized_expression("<< pipeline.parameters.x >>")', True),
    ('utils.is_parameterized_expression("<<parameters.a-b>>")', True),
    ('utils.is_parameterized_expression("<< matrix.x >>")', False),
    ('utils.is_parameterized_expression("plain")', False),
]


@pytest.mark.parametrize(("call", "document", "expected"), ORB_CASES.values(), ids=ORB_CASES)
def test_orbs(call: str, document: object, expected: object) -> None:
    rules = f"import data.circleci.config\nr = {call}"
    assert evaluate(rules, document, library=True)["r"] == expected


@pytest.mark.parametrize(("call", "expected"), CONTEXT_CASES.values(), ids=CONTEXT_CASES)
def test_contexts(call: str, expected: list[str]) -> None:
    rules = f"import data.circleci.config\nr = {call}"
    assert evaluate(rules, CONFIG, {"project_id": "p1"}, library=True)["r"] == expected


@pytest.mark.parametrize(("call", "expected"), UTILS)
def test_small_questions(call: str, expected: object) -> None:
    assert evaluate(f"import data.circleci.utils\nr = {call}", library=True)["r"] == expected


def test_a_resource_class_is_for_its_projects() -> None:
    jobs = {"build": {"resource_class": "large"}, "test": {"resource_class": "small"}}
    owners = '{"large": {"p2"}, "small": {"p1"}}'
    rules = f"import data.circleci.config\nr = config.resource_class_by_project({owners})"
    found = evaluate(rules, {"_compiled_": {"jobs": jobs}}, {"project_id": "p1"}, library=True)["r"]
    assert found == ['project is not allowed to use resource_class "large" declared in job "build"']
