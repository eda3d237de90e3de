"""What the rules of a bundle come down to."""

import msgspec
import pytest

from penstock.policy.bundle import read_bundle
from penstock.policy.decision import Decision
from penstock.policy.evaluate import decide

HEAD = 'package org\npolicy_name["x"]\n'


def judge(rules: str, document: object = None, meta: object = None) -> object:
    decision: Decision = decide(read_bundle({"x": HEAD + rules}), document or {}, meta)
    return msgspec.json.decode(msgspec.json.encode(decision))


@pytest.mark.parametrize(
    ("rules", "reasons"),
    [
        ('r = "no"', ["no"]),
        ('r["b"]\nr["a"]', ["a", "b"]),
        ('r = ["b", 1, "a", null]', ["a", "b"]),
        ('r = {"k": "no", "l": 3}', ["no"]),
        ("r = false", []),
        ("r = 3", []),
        ("r = true", []),
        ("r { false }", []),
    ],
)
def test_a_rule_violates_by_the_texts_it_has(rules: str, reasons: list[str]) -> None:
    found = judge(f'enable_rule["r"]\n{rules}')
    want: dict[str, object] = {"status": "SOFT_FAIL" if reasons else "PASS", "enabled_rules": ["r"]}
    if reasons:
        want["soft_failures"] = [{"rule": "r", "reason": each} for each in reasons]
    assert found == want


def test_only_hard_rules_that_are_enabled_stop_a_pipeline() -> None:
    soft = 'hard_fail["s"]\nenable_rule["t"]\ns = "no"\nt = "no"'
    assert judge(soft) == {
        "status": "SOFT_FAIL",
        "enabled_rules": ["t"],
        "soft_failures": [{"rule": "t", "reason": "no"}],
    }
    hard = judge(f'{soft}\nenable_hard["u"]\nu["b"]\nu["a"]')
    assert hard == {
        "status": "HARD_FAIL",
        "enabled_rules": ["t", "u"],
        "hard_failures": [{"rule": "u", "reason": "a"}, {"rule": "u", "reason": "b"}],
        "soft_failures": [{"rule": "t", "reason": "no"}],
    }


def test_a_rule_that_is_not_there_violates_nothing() -> None:
    assert judge('enable_rule["none"]') == {"status": "PASS", "enabled_rules": ["none"]}
    assert judge("a = 1") == {"status": "PASS"}


def test_contradictions_anywhere_are_errors() -> None:
    assert judge("a = 1 { true }\na = 2 { true }") == {
        "status": "ERROR",
        "reason": "x:4: eval_conflict_error: complete rules must not produce multiple outputs",
    }
    assert judge('enable_rule = "r"') == {
        "status": "ERROR",
        "reason": "invalid enable_rule: value is not a slice",
    }


def test_rules_see_the_config_and_what_is_told_of_the_pipeline() -> None:
    rules = 'enable_rule["r"] { data.meta.vcs.branch == "main" }\nr = input.jobs[_].image'
    config = {"jobs": {"a": {"image": "x"}}}
    assert judge(rules, config, {"vcs": {"branch": "main"}}) == {
        "status": "SOFT_FAIL",
        "enabled_rules": ["r"],
        "soft_failures": [{"rule": "r", "reason": "x"}],
    }
    assert judge(rules, config, {"vcs": {"branch": "dev"}}) == {"status": "PASS"}
    assert judge(rules, config) == {"status": "PASS"}


CONFIG = {
    "orbs": {"a": "ns/a@1.0", "b": "ns/b@2.0"},
    "workflows": {
        "w": {
            "jobs": [
                "plain",
                {"j": {"context": ["c", "d"], "filters": {"branches": {"only": ["main", "dev"]}}}},
                {"k": {"context": "c"}},
            ]
        }
    },
    "_compiled_": {
        "jobs": {"j": {"resource_class": "large"}, "k": {"resource_class": "small"}},
        "workflows": {
            "version": 2,
            "w": {"jobs": ["plain", {"j": {"context": ["c", "d"]}}, {"k": {"context": "c"}}]},
        },
    },
}

HELPED = [
    ('config.ban_orbs(["ns/a", "ns/z"])', ["ns/a orb is not allowed in CircleCI configuration"]),
    (
        'config.ban_orbs_version(["ns/a@1.0", "ns/b@1.0"])',
        ["ns/a@1.0 orb is not allowed in CircleCI configuration"],
    ),
    ('config.orbs_allowlist({"ns/a"})', ["ns/b orb is not allowed in CircleCI configuration"]),
    (
        'config.resource_class_by_project({"large": {"p2"}})',
        ['project is not allowed to use resource_class "large" declared in job "j"'],
    ),
    ('config.resource_class_by_project({"large": {"p1"}})', []),
    (
        'config.contexts_blocked_by_project_ids(["p1"], ["d"])',
        ["w.j: uses context value(s) in blocklist for project: d"],
    ),
    ('config.contexts_blocked_by_project_ids("p2", ["d"])', []),
    (
        'config.contexts_allowed_by_project_ids("p1", "c")',
        ["w.j: uses context value(s) not in allowlist for project: d"],
    ),
    ('config.contexts_reserved_by_project_ids("p1", "c")', []),
    (
        'config.contexts_reserved_by_project_ids("p2", {"d"})',
        ["w.j: uses context value(s) reserved to other projects: d"],
    ),
    (
        'config.contexts_reserved_by_branches("main", ["c"])',
        [
            "w.j: uses context value(s): c - that cannot be used with branches: dev",
            "w.k: uses context value(s): c - that must be limited to branches: main",
        ],
    ),
]


@pytest.mark.parametrize(("call", "reasons"), HELPED, ids=[call for call, _ in HELPED])
def test_the_vendor_s_functions_find_what_they_are_for(call: str, reasons: list[str]) -> None:
    rules = f'enable_rule["r"]\nr = {call}'
    bundle = read_bundle({"x": HEAD.replace("\n", "\nimport data.circleci.config\n", 1) + rules})
    decision = decide(bundle, CONFIG, {"project_id": "p1"})
    assert [each.reason for each in decision.soft_failures] == reasons


def test_an_orb_that_a_parameter_names_is_a_violation() -> None:
    rules = 'enable_rule["r"]\nr = config.ban_orbs(["ns/a"])'
    bundle = read_bundle({"x": HEAD.replace("\n", "\nimport data.circleci.config\n", 1) + rules})
    decision = decide(bundle, {"orbs": {"a": "<< pipeline.parameters.orb >>"}}, {})
    assert [each.reason for each in decision.soft_failures] == [
        "invalid orb: << pipeline.parameters.orb >> - parameterized orbs are disallowed"
    ]
