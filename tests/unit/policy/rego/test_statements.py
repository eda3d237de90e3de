"""Every form of statement and rule, in the syntax of version 0 and of version 1."""

import pytest

from penstock.policy.rego.values import UNDEFINED
from tests.support.rego import ask

NOTHING = UNDEFINED

CONFIG = {
    "jobs": {
        "build": {"image": "cimg/go", "steps": ["checkout", {"run": "make"}]},
        "test": {"image": "evil/go", "steps": ["checkout"]},
    },
    "list": [{"n": 7}],
    "names": ["a", "b", "a"],
    "on": True,
    "off": False,
    "if": {"default": 1},
}

VERSION_0: dict[str, tuple[str, object]] = {
    "a set": ('p["x"]\np["y"] { input.on }\np["z"] { input.off }', ["x", "y"]),
    "a set of what a body finds": ("p[name] { input.jobs[name].image }", ["build", "test"]),
    "an object": ("p[name] = job.image { job := input.jobs[name] }", {"build": "cimg/go", "test": "evil/go"}),
    "a value": ("p = 1", 1),
    "a value when a body holds": ("p = 1 { input.off }", NOTHING),
    "true when a body holds": ("p { input.on }", True),
    "a default": ("default p = 3\np = 4 { input.off }", 3),
    "a default that does not matter": ("default p = 3\np = 4 { input.on }", 4),
    "else": ("p = 1 { input.off } else = 2 { input.missing } else = 3 { input.on }", 3),
    "two bodies": ("p = 1 { input.off } { input.on }", 1),
    "a function": ("f(x) = x + 1\np = f(2)", 3),
    "a function of patterns": ('f("a", x) = 1\nf("b", [x, _]) = x\np = [f("a", 0), f("b", [7, 8])]', [1, 7]),
    "a function with else": ("f(x) = 1 { x > 5 } else = 0\np = [f(9), f(1)]", [1, 0]),
    "some without in": ("p[x] { some i; x := input.names[i] }", ["a", "b"]),
    "a name for each key": ("p[x] { input.names[i] == input.names[j]; i < j; x := [i, j] }", [[0, 2]]),
    "unification both ways": ('p = [x, y] { [x, "b"] = ["a", y] }', ["a", "b"]),
    "unification of objects": ('p = [x, y] { {"k": x, "m": 2} = {"k": 1, "m": y} }', [1, 2]),
    "what contradicts": ("p { 1 = 2 }", NOTHING),
    "not": ("p { not input.off; not input.missing }", True),
    "not of what is there": ("p { not input.on }", NOTHING),
    "false in brackets": ("p = {x: y | x = input.names[_]; y = false}", {"a": False, "b": False}),
    "statements with ;": ("p { true; 1 == 1 }", True),
    "an import of the future": (
        "import future.keywords.in\np { 'a' in input.names }".replace("'", '"'),
        True,
    ),
    "all the future": (
        "import future.keywords\np contains x if { some x in input.names }",
        ["a", "b"],
    ),
    "if before one statement": ("import future.keywords.if\np = 1 if input.on", 1),
    "brackets and if are an object": ('import future.keywords.if\np["x"] if input.on', {"x": True}),
}

VERSION_1: dict[str, tuple[str, object]] = {
    "contains": ('p contains "x"\np contains "y" if input.on', ["x", "y"]),
    "some in": ("p contains x if some x in input.names", ["a", "b"]),
    "some in with a key": ("p contains [i, x] if some i, x in input.names", [[0, "a"], [1, "b"], [2, "a"]]),
    "some in an object": (
        "p contains [k, v.image] if some k, v in input.jobs",
        [["build", "cimg/go"], ["test", "evil/go"]],
    ),
    "some in a set": ("p contains [k, v] if some k, v in {7, 8}", [[7, 7], [8, 8]]),
    "some with a pattern": ('p contains x if some {"run": x} in input.jobs.build.steps', ["make"]),
    "in": ('p if "a" in input.names', True),
    "in with a key": ('p if 1, "b" in input.names', True),
    "in with a key in brackets": ('p := [(1, "a" in input.names), (1, "b" in input.names)]', [False, True]),
    "not in": ('p if not "z" in input.names', True),
    "every": ('p if every x in input.names { x != "z" }', True),
    "every that fails": ('p if every x in input.names { x == "a" }', NOTHING),
    "every with a key": ("p if every i, x in input.names { i < 3; x }", True),
    "every of nothing": ("p if every x in [] { x == 1 }", True),
    "every of what is missing": ("p if every x in input.missing { x }", NOTHING),
    "an array of a body": ("p := [x | some x in input.names]", ["a", "b", "a"]),
    "a set of a body": ("p := {x | some x in input.names}", ["a", "b"]),
    "an object of a body": ("p := {k: v.n | some k, v in input.list}", {"0": 7}),
    "a body within a body": ("p := [[y | y := x] | some x in [1, 2]]", [[1], [2]]),
    "a name of a body that is made below": (
        "p := x if {\n s := {x | some x in [4, 5]}\n x := count(s)\n}",
        2,
    ),
    "an object with a key for each": ("p[x] := i if some i, x in [7, 8]", {"7": 0, "8": 1}),
    "a name with dots": ("q.a.b := 1\np := q", {"a": {"b": 1}}),
    "a name with variables": (
        "q[x].n[y] := true if { some x in [1, 2]; some y in [3] }\np := q",
        {"1": {"n": {"3": True}}, "2": {"n": {"3": True}}},
    ),
    "sets in an object": (
        "q[x] contains y if { some x, y in [5, 6] }\nq[0] contains 9\np := q",
        {"0": [5, 9], "1": [6]},
    ),
    "a path beside variables": (
        'q[x] := 1 if some x in ["a"]\nq.b := 2\nq.c contains 3\np := q',
        {"a": 1, "b": 2, "c": [3]},
    ),
    "an object within a path, with else": (
        'q.b := 1 if { input.off } else := 2\nq[x] := 3 if x := "a"\np := q',
        {"a": 3, "b": 2},
    ),
    "a default of a function": ("default f(_) := 0\nf(x) := x if x > 5\np := [f(1), f(9)]", [0, 9]),
    "a keyword in a path": ("p := input.if.default", 1),
    "a keyword that begins a path": ("in.with := 1\np := in.with", 1),
    "with input": ('q := input.x\np := v if v := q with input as {"x": 1}', 1),
    "with a part of the input": ("q := count(input.jobs)\np := v if v := q with input.jobs as {}", 0),
    "with data": ("q := data.meta.id\np := v if v := q with data.meta.id as 5", 5),
    "with a rule": ("r := 1\nq := r + 1\np := v if v := q with data.org.r as 5", 6),
    "with a builtin's value": ("q := time.now_ns()\np := v if v := q with time.now_ns as 5", 5),
    "with a function for a builtin": ("f(x) := [x]\np := v if v := count([1]) with count as f", [[1]]),
    "with a builtin for a function": ("f(x) := [x]\np := v if v := f([1, 2]) with f as count", 2),
    "a function that stands for another calls it": (
        "f(x) := 10 * count(x)\np := v if v := count([1]) with count as f",
        10,
    ),
    "with only as long as the statement lasts": (
        'p := [x, y] if { x := input.on with input as {"on": 1}; y := input.on }',
        [1, True],
    ),
    "print is true whatever it is given": ("p if { print(input.missing, input.names[_]); input.on }", True),
    "walk": ("p := [v | walk(input.jobs.test, [_, v]); is_string(v)]", ["evil/go", "checkout"]),
    "walk as a value": (
        'p contains path if { [path, v] := walk(input.jobs.test); v == "checkout" }',
        [["steps", 0]],
    ),
    "a function's value as its last argument": ("p := x if count([1, 2], x)", 2),
    "a set that is looked into": ('q contains "a"\np := q["a"]', "a"),
    "what a set has not": ('q contains "a"\np := q["b"]', NOTHING),
    "undefined anywhere": ("p := [1, input.missing]", NOTHING),
    "a rule of another name": ("q if input.on\np := 1 if data.org.q", 1),
    "what nothing has": ("p := count(data.other)", NOTHING),
    "a raw string": (r"p := `a\n`", "a\\n"),
    "a comment": ("# nothing\np := 1 # one", 1),
    "an operator before another": ("p := 1 + 2 * 3 - 4 / 2", 5),
    "sets with operators": ("p := [{1, 2} & {2}, {1} | {2}, {1, 2} - {2}]", [[2], [1, 2], [1]]),
    "an array that goes on": ("p := [1,\n  2,\n]", [1, 2]),
    "numbers": ("p := [1.0, 1e3, 0.5, -3]", [1, 1000, 0.5, -3]),
    "a large number": ("p := 12345678901234567890123 + 1", 12345678901234567890124),
}  # fmt: skip


@pytest.mark.parametrize(("source", "expected"), VERSION_0.values(), ids=VERSION_0)
def test_version_0(source: str, expected: object) -> None:
    assert ask(source, document=CONFIG) == expected


@pytest.mark.parametrize(("source", "expected"), VERSION_1.values(), ids=VERSION_1)
def test_version_1(source: str, expected: object) -> None:
    assert ask(f"import rego.v1\n{source}", document=CONFIG) == expected


def test_data_and_rules_of_one_package_are_one_object() -> None:
    data = {"other": {"given": 1}}
    assert ask("p = data.other", "package other\nmade = 2", data=data) == {"given": 1, "made": 2}
    assert ask("p = data.other.given", "package other\nmade = 2", data=data) == 1


def test_rules_of_other_modules_are_imported_by_name() -> None:
    library = "package lib.texts\nshout(x) = upper(x)\nlimit = 3"
    assert ask("import data.lib.texts\np = texts.shout(concat(``, [`a`]))", library) == "A"
    assert ask("import data.lib.texts as t\nimport data.lib.texts.limit\np = [t.limit, limit]", library) == [
        3,
        3,
    ]


def test_a_rule_of_the_same_data_is_asked_once() -> None:
    assert ask("now = time.now_ns()\np { now == time.now_ns() }") is True
