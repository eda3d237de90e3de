"""Tests of policies: how cases have what is around them, and how results are told."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from penstock.model.errors import InvalidError
from penstock.policy.referee import Referee
from penstock.policy.suite import RULES, Result, merge_data, run_suite

POLICY = """\
package org
policy_name["small"]
enable_rule["small"]
small[reason] {
	input._compiled_.jobs[name].resource_class == "large"
	reason := sprintf("%s is large for %v", [name, data.meta.project_id])
}
"""


@pytest.fixture(scope="module")
def referee() -> Iterator[Referee]:
    made = Referee()
    yield made
    made.close()


def refuse(_source: str, _parameters: Mapping[str, object]) -> str:
    raise InvalidError("nothing compiles here")


def lay_out(folder: Path, **files: str) -> None:
    for name, text in files.items():
        file = folder / name.replace("__", "/").replace("_rego", ".rego").replace("_yaml", ".yaml")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def run(folder: Path, referee: Referee, **files: str) -> list[Result]:
    lay_out(folder, **files)
    return list(run_suite(folder, referee, refuse))


def test_what_is_said_later_is_merged_with_what_was_said_before() -> None:
    before = {"a": {"b": 1, "c": [1, {"d": 2}, 3]}, "e": 5}
    assert merge_data(before, {"a": {"b": 2}}) == {"a": {"b": 2, "c": [1, {"d": 2}, 3]}, "e": 5}
    assert merge_data(before, {"e": None}) == {"a": before["a"]}
    assert merge_data(before, {"a": {"c": [None, {"d": None, "f": 1}]}})["a"]["c"] == [{"f": 1}, 3]
    assert merge_data(before, {"a": "x", "g": {"h": 1}}) == {"a": "x", "e": 5, "g": {"h": 1}}


def test_cases_have_what_is_around_them(tmp_path: Path, referee: Referee) -> None:
    tests = """\
test_large:
  input: {_compiled_: {jobs: {a: {resource_class: large}, b: {resource_class: small}}}}
  meta: {project_id: p1}
  cases:
    found:
      decision: &found
        status: SOFT_FAIL
        enabled_rules: [small]
        soft_failures: [{rule: small, reason: a is large for p1}]
      cases:
        other_project:
          meta: {project_id: p2}
          decision: {soft_failures: [{reason: a is large for p2}]}
    small:
      input: {_compiled_: {jobs: {a: {resource_class: small}}}}
      decision: {status: PASS, enabled_rules: [small]}
    wrong:
      decision: {status: PASS}
other: {}
"""
    results = run(tmp_path, referee, p_rego=POLICY, p_test_yaml=tests)
    assert [(each.name, each.passed) for each in results] == [
        ("test_large/found", True),
        ("test_large/found/other_project", True),
        ("test_large/small", True),
        ("test_large/wrong", False),
    ]
    assert "-status: PASS" in results[-1].error
    assert "+status: SOFT_FAIL" in results[-1].error


def test_folders_are_tested_with_the_policies_in_and_below_them(tmp_path: Path, referee: Referee) -> None:
    results = run(
        tmp_path,
        referee,
        a__p_rego=POLICY,
        a__t_test_yaml="test_a: {input: {}, decision: {status: PASS, enabled_rules: [small]}}",
        b__t_test_yaml="test_b: {input: {}, decision: {status: PASS}}",
        c__p_rego=POLICY.replace('"small"]', '"other"]'),
        _hidden__p_rego="nonsense",
    )
    (tmp_path / "_hidden").rename(tmp_path / ".hidden")
    results = list(run_suite(tmp_path, referee, refuse))
    told = [(Path(each.group).name, each.name, each.passed, each.error) for each in results]
    assert told == [
        (tmp_path.name, "", True, "no tests"),
        ("a", "test_a", True, ""),
        ("b", "", True, "no policies"),
        ("c", "", True, "no tests"),
    ]


def test_rules_that_are_tests_are_run(tmp_path: Path, referee: Referee) -> None:
    rules = """
test_small { small["x is large for 1"] with input._compiled_.jobs as {"x": {"resource_class": "large"}}
	with data.meta as {"project_id": 1} }
test_not { small["x"] }
"""
    results = run(tmp_path, referee, p_rego=POLICY + rules)
    assert [(each.group, each.name, each.passed) for each in results[:2]] == [
        (RULES, "data.org.test_small", True),
        (RULES, "data.org.test_not", False),
    ]


@pytest.mark.parametrize(
    ("tests", "want"),
    [
        ("test_x: [1]", "test_x is not a map"),
        ("test_x: {inptu: {}}", "test_x has the unknown key inptu"),
        ("test_x: {cases: [1]}", "the cases of test_x are not a map"),
        ("test_x: {", "Unable to parse YAML"),
        ("test_x: {compile: true, input: {}, decision: {status: PASS}}", "nothing compiles here"),
        ("test_x: {input: [1], compile: true, decision: {status: PASS}}", "the input is not a map"),
    ],
)
def test_a_test_that_is_none_is_told(tmp_path: Path, referee: Referee, tests: str, want: str) -> None:
    [result] = run(tmp_path, referee, p_rego=POLICY, p_test_yaml=tests)
    assert not result.passed
    assert want in result.error


def test_a_folder_that_is_not_there_is_told(tmp_path: Path, referee: Referee) -> None:
    with pytest.raises(InvalidError, match="there is no folder"):
        run_suite_of(tmp_path / "none", referee)


def run_suite_of(folder: Path, referee: Referee) -> list[Result]:
    return list(run_suite(folder, referee, refuse))
