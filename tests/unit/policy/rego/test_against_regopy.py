"""Policies of the features that both have say the same here and in rego-cpp, which somebody else wrote.

What rego-cpp gets wrong is left out: the order of texts, escapes, texts that functions made within `sprintf`.
"""

import json
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from regopy import Interpreter  # type: ignore[import-untyped]  # it has no types

from penstock.policy.rego.errors import EvaluationError
from penstock.policy.rego.values import UNDEFINED
from tests.support.rego import ask

DOCUMENT = {
    "n": 4,
    "word": "Build",
    "list": [3, 1, 2, 3],
    "words": ["b", "a", "b"],
    "map": {"x": 1, "y": 5, "z": 3},
    "jobs": {"a": {"image": "good", "n": 1}, "b": {"image": "evil", "n": 2}},
}

FAILED = "error"

numbers = st.recursive(
    st.one_of(
        st.integers(-9, 9).map(str), st.sampled_from(["input.n", "input.map.y", "input.jobs.b.n", "x"])
    ),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*"]), inner).map(
            lambda parts: "({} {} {})".format(*parts)
        ),
        st.tuples(st.sampled_from(["abs", "f"]), inner).map(lambda parts: "{}({})".format(*parts)),
        st.lists(inner, min_size=1, max_size=3).flatmap(
            lambda items: st.sampled_from(["sum", "max", "min", "count", "product"]).map(
                lambda name: f"{name}([{', '.join(items)}])"
            )
        ),
    ),
    max_leaves=5,
)
texts = st.recursive(
    st.sampled_from(['"a"', '"Ab-c"', '""', "input.word", "input.jobs.b.image"]),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["upper", "lower", "trim_space"]), inner).map(
            lambda parts: "{}({})".format(*parts)
        ),
        st.tuples(inner, inner).map(lambda parts: 'concat("-", [{}, {}])'.format(*parts)),
        inner.map(lambda text: f'replace({text}, "b", "xy")'),
        inner.map(lambda text: f"substring({text}, 1, 2)"),
        inner.map(lambda text: f'trim_prefix({text}, "A")'),
        numbers.map(lambda number: f'sprintf("%s=%d", [input.word, {number}])'),
    ),
    max_leaves=4,
)
tests = st.one_of(
    st.tuples(numbers, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), numbers).map(" ".join),
    st.tuples(texts, st.sampled_from(["==", "!="]), texts).map(" ".join),
    numbers.map(lambda number: f"{number} in input.list"),
    texts.map(lambda text: f'startswith({text}, "B")'),
    numbers.map(lambda number: f"not {number} == 2"),
    st.sampled_from(["input.missing", "not input.missing", "not input.n", "true"]),
)
bodies = st.lists(tests, min_size=1, max_size=3).map("; ".join)
values = st.one_of(
    numbers,
    texts,
    st.tuples(numbers, bodies).map(lambda parts: "[{} | x := input.list[_]; {}]".format(*parts)),
    st.tuples(texts, bodies).map(lambda parts: "{{{}: x | x := 7; {}}}".format(*parts)),
    st.tuples(numbers, bodies).map(lambda parts: "sort({{{} | some x in input.list; {}}})".format(*parts)),
    st.tuples(st.sampled_from("|&-"), numbers).map(
        lambda parts: "sort({{1, 3, 5}} {} {{x, {}}})".format(*parts)
    ),
    st.sampled_from(
        ["object.keys(input.map)", "input.jobs", 'object.get(input, ["jobs", "a"], 0)', "input.none"]
    ),
)


@st.composite
def modules(draw: st.DrawFn) -> str:
    """A module whose rule `p` shows what some rules say."""
    return "\n".join([
        "import rego.v1",
        f"x := {draw(st.integers(-3, 3))}",
        f"f(y) := y + {draw(st.integers(-3, 3))} if {{ y > {draw(st.integers(-3, 3))} }} else := 0",
        f"least := {draw(st.integers(0, 5))}",
        f"members contains [k, v] if {{ some k, v in input.map; v > least; {draw(bodies)} }}",
        f"map[k] := v if {{ v := input.map[k]; {draw(bodies)} }}",
        f"default chosen := {draw(st.integers(0, 3))}",
        f"chosen := {draw(numbers)} if {{ {draw(bodies)} }}",
        f"all_of if {{ every k, v in input.map {{ v > {draw(st.integers(0, 5))}; k != x }} }}",
        f"value := {draw(values)}",
        'p := [sort(members), map, chosen, object.get({"v": value}, "v", 0), [1 | all_of]]',
    ])  # fmt: skip


def ask_other(source: str) -> Any:  # noqa: ANN401 - any value
    """What rego-cpp says."""
    interpreter = Interpreter()
    interpreter.add_module("p", f"package org\n{source}")
    interpreter.set_input(DOCUMENT)
    output = str(interpreter.query("x = data.org.p"))
    if output == "undefined":
        return UNDEFINED
    return json.loads(output)["bindings"]["x"] if output.startswith("{") else FAILED


def ask_here(source: str) -> Any:  # noqa: ANN401 - any value
    """What is said here."""
    try:
        return ask(source, document=DOCUMENT)
    except EvaluationError:
        return FAILED


@given(modules())
@settings(max_examples=100, deadline=None, derandomize=True, phases=[Phase.generate])
def test_the_same_is_said_of_everything_both_know(source: str) -> None:
    assert ask_here(source) == ask_other(source)
