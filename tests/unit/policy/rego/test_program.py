"""What is wrong with modules, and what is wrong with their evaluation: each sentence with its place."""

import pytest

from penstock.policy.rego.errors import EvaluationError
from tests.support.rego import ask, refuse

ERRORS = {
    "p { x > 1 }": "line 2: var x is unsafe",
    "p[x] { not input.jobs[x] }": "line 2: var x is unsafe",
    "p { x := y }": "line 2: var y is unsafe",
    "p = x": "line 2: var x is unsafe",
    "p = [y | z = 1]": "line 2: var y is unsafe",
    "p { nothing(1) }": "line 2: undefined function nothing",
    "p { http.send({}) }": "line 2: undefined function http.send",
    "p { net.lookup_ip_addr(`x`) }": "line 2: undefined function net.lookup_ip_addr",
    "p { opa.runtime() }": "line 2: undefined function opa.runtime",
    "p { count() }": "line 2: count takes 1 argument(s), not 0",
    "p { count(1, 2, 3) }": "line 2: count takes 1 argument(s), not 3",
    "f(x) = x\np { f(1, 2, 3) }": "line 3: f takes 1 argument(s), not 3",
    "f(x) = x\np { f }": "line 3: data.org.f is a function: it must be called",
    "p { q }\nq { p }": "line 2: rule data.org.p is recursive: data.org.p -> data.org.q -> data.org.p",
    "f(x) = f(x)": "line 2: rule data.org.f is recursive: data.org.f -> data.org.f",
    "p[x] { p[x] }": "line 2: rule data.org.p is recursive: data.org.p -> data.org.p",
    "p = 1\np[x] { x = 1 }": "line 3: conflicting rules data.org.p found",
    "f(x) = x\nf(x, y) = y": "line 3: conflicting rules data.org.f found",
    "p.a.b = 1\np = 2": "line 3: rule data.org.p conflicts with a package",
    "p = 2\np.a.b = 1": "line 3: rule data.org.p.a.b conflicts with another rule",
    "default p = 1\ndefault p = 2": "line 3: multiple default rules data.org.p found",
    "p { x := 1; x := 2; x }": "line 2: var x assigned above",
    "p { x = 1; x := 2 }": "line 2: var x referenced above",
    "p { some x; some x; x = 1 }": "line 2: var x declared above",
    "p { x := 1 }": "line 2: assigned var x unused",
    "p { some x }": "line 2: declared var x unused",
    "import data.lib\np = 1": "line 2: import data.lib unused",
    "import data.a.x\nimport data.b.x\np = x": "line 3: import must not shadow import data.a.x",
    "f(x, y) = y\np = f(1, 2)": "line 2: unused argument x. (hint: use _ (wildcard variable) instead)",
    "f([x]) = 1\np = f([1])": "line 2: unused argument x. (hint: use _ (wildcard variable) instead)",
    "f(x) { x := 1; x }": "line 2: arg x redeclared",
    "input = 1": "line 2: rules must not shadow input (use a different rule name)",
    "p { data := 1; data }": "line 2: variables must not shadow data (use a different variable name)",
    "p { any([true]) }": "line 2: deprecated built-in function calls in expression: any",
    "p { re_match(`a`, `a`) }": "line 2: deprecated built-in function calls in expression: re_match",
    "p { count(1) with nobody as 1 }": "line 2: nobody cannot be replaced: it is neither data nor a function",
    "p {": "line 2: unexpected end of file",
    "p { }": "line 2: unexpected end of file: found empty body",
    'p = "x': "line 2: non-terminated string",
    r'p = "\d"': "line 2: invalid escape in a string",
    "p = [1, 2": "line 2: unexpected end of file: expected ]",
    "p = 1 2": "line 2: unexpected 2: expected the end of the rule",
    "import rego.v1\np { true }": "line 3: unexpected {: `if` keyword is required before rule body",
    'import rego.v1\np["x"]': "line 3: `contains` keyword is required for partial set rules",
    "import strange.thing\np = 1": "line 2: an import begins with data, input, future or rego",
    "p[x] = 1 { x = 1 } else = 2": "line 2: else cannot be used on partial rules",
    'default p["x"] = 1': "line 2: a rule with `default` cannot be used on partial rules",
    "default p { true }": "line 2: a default has a value and no body",
    "q[x](y) = 1": "line 2: the name of a function can have no variables",
    "p = 1e999": "line 2: a number is too large",
    "p = " + "[" * 99: "line 2: nested more than 60 levels deep",
    "p = " + "9" * 999: "line 2: a number is too long",
    "p = 1 @": "line 2: unexpected @: expected the end of the rule",
    "p = \x00": "line 2: illegal character '\\x00'",
}

CONFLICTS = {
    "p = 1\np = 2": "p:3: eval_conflict_error: complete rules must not produce multiple outputs",
    "p = x { x = [1, 2][_] }": "p:2: eval_conflict_error: complete rules must not produce multiple outputs",
    "f(x) = 1\nf(x) = 2\np = f(0)": (
        "p:3: eval_conflict_error: functions must not produce multiple outputs for same inputs"
    ),
    "p[1] = x { x = [1, 2][_] }": "p:2: eval_conflict_error: object keys must be unique",
    "p = {1: x | x = [1, 2][_]}": "p:2: eval_conflict_error: object keys must be unique",
    "q.a = 1\nq[x] = 2 { x = `a` }\np = q": "p:3: eval_conflict_error: object keys must be unique",
}


@pytest.mark.parametrize(("source", "sentence"), ERRORS.items(), ids=[each[:40] for each in ERRORS])
def test_what_is_wrong_is_said_with_its_line(source: str, sentence: str) -> None:
    found = refuse(source)
    assert found[:1] == [sentence]


@pytest.mark.parametrize(("source", "sentence"), CONFLICTS.items())
def test_rules_that_contradict_each_other_are_an_error_with_its_place(source: str, sentence: str) -> None:
    with pytest.raises(EvaluationError) as raised:
        ask(source)
    assert str(raised.value) == sentence


def test_only_what_opa_refuses_itself_is_wrong_when_not_strict() -> None:
    assert refuse("import data.lib\np { x := 1; any([true]) }", strict=False) == []
    assert refuse("p { x > 1 }", strict=False) == ["line 2: var x is unsafe"]


def test_all_that_is_wrong_is_said_at_once() -> None:
    assert refuse("p { x > 1 }\nq { y > 1 }") == ["line 2: var x is unsafe", "line 3: var y is unsafe"]


@pytest.mark.parametrize(
    "rules",
    [
        "p[name] { some i, name; input.jobs[name].docker[i].image == `x` }",
        "p { some i; input.list[i] }",
        "p { some x; x = 1 }",
        "p { some i; not input.list[i]; i = 1 }",
        "p = [i | some i; input.list[i]]",
        "f(x) = x { true } else = 2\np = f(1)",
        "f([x, _], _) = x\np = f([1, 2], 3)",
        "default f(x) = 1\nf(x) = x { x > 1 }\np = f(1)",
        "f(x) { every y in [1] { x == y } }\np { f(1) }",
        "f(x) = [y | y := x]\np = f(1)",
        "p { x := [1, 2]; every y in x { y > 0 } }",
        "p { x := 1; count([y | y := 2; y > x]) == 1 }",
        "p { x := {`a`: 1}; count([1]) == 1 with input as x }",
        "import data.other\np { input.x with data.x as other.y }",
        "import input.jobs\np { jobs.a }",
    ],
)
def test_what_is_used_anywhere_is_used(rules: str) -> None:
    assert refuse(rules) == []
