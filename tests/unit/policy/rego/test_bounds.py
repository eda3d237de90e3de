"""Rego that grows or loops: each way to do so ends at a bound, with the reason."""

import time

import pytest

from penstock.policy.rego.builtins import patterns
from penstock.policy.rego.errors import EvaluationError, RegoError
from penstock.policy.rego.read_module import read_module
from penstock.policy.rego.values import UNDEFINED
from tests.support.rego import ask

TOO_MUCH = {
    "p { count(numbers.range(0, 1e12)) > 0 }": "numbers.range gives more than 1000000 numbers",
    "p { bits.lsh(1, 1e12) > 0 }": "a number is too large",
    "p { net.cidr_expand(`0.0.0.0/0`)[_] }": "net.cidr_expand gives more than 65536 addresses",
    "p = sprintf(`%99999999d`, [1])": "sprintf: a value is to be more than 10000 characters wide",
    "p { graph.reachable_paths({i: numbers.range(1, 12) | i = numbers.range(1, 12)[_]}, [1]) }": (
        "graph.reachable_paths gives more than 100000 paths"
    ),
}


@pytest.mark.parametrize(("rules", "reason"), TOO_MUCH.items())
def test_a_function_that_would_give_too_much_is_an_error(rules: str, reason: str) -> None:
    with pytest.raises(EvaluationError, match=reason):
        ask(rules)


def test_a_number_that_grows_is_an_error_before_it_is_large() -> None:
    rules = "\n".join(f"n{at} = n{at - 1} * n{at - 1}" for at in range(1, 40))
    with pytest.raises(EvaluationError, match="a number is too large"):
        ask(f"n0 = 10\n{rules}\np = n39")


def test_rules_that_use_each_other_too_deeply_are_an_error() -> None:
    rules = "\n".join(f"r{at} {{ r{at + 1} }}" for at in range(2000))
    with pytest.raises(EvaluationError, match="the rules call each other too deeply"):
        ask(f"{rules}\nr2000\np {{ r0 }}")


@pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 1000])
def test_deep_yaml_has_no_value(text: str) -> None:
    assert ask("p = yaml.unmarshal(input)", document=text) is UNDEFINED


@pytest.mark.parametrize("pattern", ["^(a+)+$", "^(a|a)*(a|a)*$", "(a*)*(a*)*(a*)*c"])
def test_a_pattern_that_would_take_for_ever_ends(pattern: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "LONGEST_MATCH", 0.05)
    document = {"pattern": pattern, "text": "a" * 3000 + "b"}
    started = time.monotonic()
    try:
        outcome = ask("p = regex.match(input.pattern, input.text)", document=document)
    except EvaluationError as error:
        outcome = str(error)
    assert outcome in {False, f"the pattern takes too long to match: {pattern}"}
    assert time.monotonic() - started < 20


@pytest.mark.parametrize(
    "text", ["package a\nx = " + "(" * 5000, "package a\nx = " + "[{" * 5000, "package a\nx { " + "not " * 99]
)
def test_a_module_that_is_nested_too_deeply_is_refused(text: str) -> None:
    with pytest.raises(RegoError, match=r"nested more than 60 levels deep|unexpected"):
        read_module(text)


@pytest.mark.parametrize(
    "call",
    [
        'json.unmarshal("NaN")',
        'json.unmarshal("[-Infinity]")',
        'json.unmarshal("[[")',
        "yaml.unmarshal(`.inf`)",
        "yaml.unmarshal(`a: !!binary aGVsbG8=`)",
        "yaml.unmarshal(`!!set {a, b}`)",
        "yaml.unmarshal(`&a [*a]`)",
        "yaml.unmarshal(`[1, 2]: 3`)",
        "yaml.unmarshal(`!!python/name:os.system x`)",
        "time.clock([0, `../../etc/passwd`])",
        "substring(`abc`, 0, 1e30)",
        "array.slice([1], 0, 1.5)",
        "rand.intn(`a`, 0)",
        "[1, 2][0.5]",
    ],
)
def test_what_is_no_value_is_none(call: str) -> None:
    assert ask(f"p = {call}") is UNDEFINED
