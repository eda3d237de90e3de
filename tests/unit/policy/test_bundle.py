"""Bundles that are in order, and what is said about those that are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.model.errors import InvalidError
from penstock.policy.bundle import read_bundle
from penstock.policy.files import hash_policy, name_bundle

GOOD = 'package org\npolicy_name["good"]\n'

BAD = [
    (
        'package bad\npolicy_name["x"]',
        '"x": invalid package name: expected one of packages [org] but got "package bad"',
    ),
    (
        "package org",
        'failed to parse file: "a.rego": must declare rule "policy_name" but module contains no rules',
    ),
    (
        'package org\nrule = 1\npolicy_name["x"]',
        'first rule declaration must be "policy_name" but found "rule"',
    ),
    ('package org\npolicy_name = "x"', "invalid policy_name declaration: must declare as key"),
    ("package org\npolicy_name[1]", "invalid policy_name: it must be a string"),
    ('package org\npolicy_name[""]', "policy_name must not be empty"),
    ('package org\npolicy_name["a-b"]', '"a-b" must use alphanumeric and underscore characters only'),
    ('package org\npolicy_name["é"]', '"é" must use alphanumeric and underscore characters only'),
    (f'package org\npolicy_name["{"x" * 81}"]', "policy_name must be maximum 80 characters but got 81"),
    (
        'package org\npolicy_name["x"]\nr { y := data.meta.branch; y }',
        "invalid use of data.meta.branch use data.meta.vcs.branch instead",
    ),
    ('package org\npolicy_name["x"]\nr = [y | y := data.meta["branch"]]', "invalid use of data.meta.branch"),
    ('package org\nimport data.circleci.none\npolicy_name["x"]\nr = none.f(1)', "undefined function none.f"),
    (
        'package org\npolicy_name["x"]\nr = http.send({})',
        'failed to compile policy: "x": line 3: undefined function',
    ),
]


@pytest.mark.parametrize(("text", "want"), BAD, ids=[want[-40:] for _, want in BAD])
def test_a_policy_that_is_not_in_order_is_refused_in_the_vendor_s_words(text: str, want: str) -> None:
    with pytest.raises(InvalidError) as caught:
        read_bundle({"a.rego": text})
    assert want in str(caught.value)


def test_all_mistakes_of_a_step_are_told_together() -> None:
    with pytest.raises(InvalidError) as caught:
        read_bundle({"a": "package org", "b": "nonsense", "c": GOOD})
    assert str(caught.value) == (
        'failed to parse policy file(s): 2 error(s) occurred: failed to parse file: "a": must declare rule '
        '"policy_name" but module contains no rules; failed to parse file "b": line 1: unexpected nonsense: '
        "package expected"
    )
    with pytest.raises(InvalidError, match='failed to parse bundle: policy "good" declared 2 times'):
        read_bundle({"a": GOOD, "b": GOOD})


@pytest.mark.parametrize(
    "head", ['policy_name["good"]', 'policy_name contains "good"', "policy_name[`good`]"]
)
def test_a_name_may_be_written_in_each_way(head: str) -> None:
    assert list(read_bundle({"x": f"# why\npackage org\n\n{head}\n"}).policies) == ["good"]


def test_policies_of_several_files_are_one_package() -> None:
    one = 'package org\npolicy_name["one"]\nenable_rule["r"]\nr = shared(1)'
    two = 'package org\npolicy_name["two"]\nshared(x) = sprintf("%d", [x])'
    assert set(read_bundle({"one": one, "two": two}).policies) == {"one", "two"}


def test_a_bundle_is_known_by_what_is_in_it() -> None:
    assert name_bundle({"a": "x", "b": "y"}) == name_bundle({"b": "y", "a": "x"})
    assert len({name_bundle(each) for each in ({"a": "x"}, {"a": "y"}, {"b": "x"}, {})}) == 4
    assert len(hash_policy("x")) == 128


@given(st.text(max_size=200))
def test_no_text_is_more_than_refused(text: str) -> None:
    try:
        read_bundle({"a": text, "b": f"{GOOD}{text}"})
    except InvalidError:
        return
