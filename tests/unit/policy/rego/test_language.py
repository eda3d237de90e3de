"""What rules say: of both versions of the language, and of each kind of statement."""

import pytest

from penstock.policy.rego.errors import EvaluationError
from penstock.policy.rego.values import UNDEFINED
from tests.support.rego import evaluate

JOBS = {
    "jobs": {"a": {"image": "good", "n": 1}, "b": {"image": "evil", "n": 2}},
    "lines": "a\nb",
    "list": [3, 1, 2],
}
NOTHING = UNDEFINED

RULES = [
    # sets, in both versions
    ('r[m] { some j; input.jobs[j].image == "evil"; m := sprintf("bad %s", [j]) }', ["bad b"]),
    ('import rego.v1\nr contains j if { some j, job in input.jobs; job.image == "evil" }', ["b"]),
    ('import future.keywords\nr contains "x"\nr contains "y" { true }', ["x", "y"]),
    ('r["x"]\nr["y"] { false }', ["x"]),
    ("r[x] { x := 1 } { x := 2 }", [1, 2]),
    ('r = count(s) { s["a"] }\ns["a"]\ns["b"]', 2),
    ("r = {1, 2} | {3}", [1, 2, 3]),
    ("r = {1, 2} & {2}", [2]),
    ("r = {1, 2} - {1}", [2]),
    ("r = set()", []),
    # maps
    ("r[k] = v { v := input.jobs[k].n }", {"a": 1, "b": 2}),
    ('import future.keywords\nr["x"] if { true }', {"x": True}),
    ("r.a.b := 1\nr.c := 2", NOTHING),  # a place with rules, no rule
    # values, defaults, else
    ("r = 1 { input.none } else = 2 { input.list } else = 3", 2),
    ("default r = false\nr { input.none }", False),
    ("r { input.none }", NOTHING),
    ("r = x { x := input.list[_]; x > 2 }", 3),
    # functions
    ("r = f(2)\nf(x) = y { y := x + 1 }", 3),
    ('r = [f(1), f(2), f(3)]\nf(1) = "a"\nf(2) = "b" { true }\ndefault f(_) = "c"', ["a", "b", "c"]),
    ("r = f([1, 2])\nf([x, y]) = x + y", 3),
    ('r = f({"a": 4})\nf({"a": x}) = x', 4),
    ("r { f(1, 2) }\nf(x) = y { y := x + 1 }", True),
    # comprehensions
    ("r = [x | x := input.list[_]; x > 1]", [3, 2]),
    ("r = {k | input.jobs[k].n > 1}", ["b"]),
    ("r = {k: v.n | some k; v := input.jobs[k]}", {"a": 1, "b": 2}),
    ("import future.keywords\nr = {k | some k, v in input.jobs\n\tv.n > 1\n}", ["b"]),
    ("r = [y | x := 2; y := [z | z := x]]", [[2]]),
    ("r = count([x | x := input.jobs[_].n; x > y]) { y := 1 }", 1),
    # statements
    ("r { not input.none }", True),
    ("r { not input.list }", NOTHING),
    ("r { not input.jobs[_].n == 3 }", True),
    ("import future.keywords\nr { every x in input.list { x > 0 } }", True),
    ("import future.keywords\nr { every k, v in input.jobs { v.n > 1; k != 0 } }", NOTHING),
    ("import future.keywords\nr { every x in [] { x == 1 } }", True),
    ("import future.keywords\nr { 3 in input.list; not 4 in input.list }", True),
    ("r = [i | input.list[i] == 1]", [1]),
    ("r = i + j { [i, 2] = [1, j] }", 3),
    ('r = x { {"k": x} = {"k": 3} }', 3),
    ('r[p] { walk(input, [p, "evil"]) }', [["jobs", "b", "image"]]),
    ("r = y { x = y; y = 1; x == 1 }", 1),  # the order does not matter
    ("r { y == 2; y = x + 1; x = 1 }", True),
    ("r = input", JOBS),
    ("r = input.list[10]", NOTHING),
    ("r = input.lines.x", NOTHING),
    # with
    ('r = y { y := x with input as {"none": 5} }\nx = input.none', 5),
    ("r { x == 5 with input.none as 5; not x }\nx = input.none", True),
    ("r = z { z := y with data.org.x as 9 }\ny = x + 1\nx = 1", 10),
    # the scope of names
    ("r { x := 2; x == 2 }\nx = 1", True),
    ("r = [x | x := 3]\nx = 1", [3]),
    # numbers and texts
    ("r = 7 % 3 + 2 * 3 - 4 / 2", 5),
    ("r = -7 % 3", -1),
    ("r = 1 / 0", NOTHING),
    ("r { 1 == 1.0 }", True),
    ("r { 1 == true }", NOTHING),
    ("r = 1 == true", False),
    ('r { input.lines == "a\\nb" }', True),
    ("r = `a\\n`", "a\\n"),
    ('r = "\\u00e9\\"\\\\"', 'é"\\'),
    ("r = 0.1 + 0.2 > 0.3", True),
    ("r = 9007199254740993", 9007199254740993),
]


@pytest.mark.parametrize(("rules", "want"), RULES, ids=[rules[:60] for rules, _ in RULES])
def test_rules_have_the_values_of_the_language(rules: str, want: object) -> None:
    found = evaluate(rules, JOBS).get("r", NOTHING)
    assert found == want
    assert type(found) is type(want)


@pytest.mark.parametrize(
    ("rules", "want"),
    [
        ("r = 1 { true }\nr = 2 { true }", "p:3: eval_conflict_error: complete rules must not produce"),
        ("r = x { x := input.list[_] }", "p:2: eval_conflict_error: complete rules must not produce"),
        ("r[1] = x { x := input.list[_] }", "p:2: eval_conflict_error: object keys must be unique"),
        ("r = {1: x | x := input.list[_]}", "object keys must be unique"),
        ("r = f(1)\nf(x) = x\nf(_) = 2", "functions must not produce multiple outputs for same inputs"),
        ("r = numbers.range(0, 1000000000000)", "more than 1000000 numbers"),
        (
            "r = x9\n" + "".join(f"x{at + 1} = x{at} * x{at}\n" for at in range(9)) + "x0 = " + "9" * 300,
            "a number is too large",
        ),
    ],
)
def test_what_contradicts_itself_or_grows_too_far_is_an_error(rules: str, want: str) -> None:
    with pytest.raises(EvaluationError) as caught:
        evaluate(rules, JOBS)
    assert want in str(caught.value)


def test_rules_of_a_place_are_an_object() -> None:
    assert evaluate("a.b := 1\na.c := 2\nr = a\ns = a.b") == {"r": {"b": 1, "c": 2}, "s": 1}


def test_a_rule_is_evaluated_once_for_an_input() -> None:
    chain = "".join(f"x{at + 1} = x{at} + x{at}\n" for at in range(60))
    assert evaluate(f"x0 = 1\n{chain}r = x60")["r"] == 1 << 60
