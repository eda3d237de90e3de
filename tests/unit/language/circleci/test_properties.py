"""Rules of the language, held against small models of them over generated configs."""

import itertools
import math
import re

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.language.circleci import compile as compile_config
from penstock.language.common.context import Context
from penstock.model.diagnostic import Severity, has_errors
from penstock.plan.plan import Plan

NAMES = st.from_regex(r"[a-z][a-z0-9_-]{0,6}", fullmatch=True)
JOB: dict[str, object] = {"machine": True, "steps": ["checkout"]}
PATTERNS = st.sampled_from(["main", "dev", "/.*/", "/ma.*/", "/v[0-9]+/", "v1", "/main|dev/", "ma", "1.5"])
FILTER = st.dictionaries(
    st.sampled_from(["only", "ignore"]), st.one_of(PATTERNS, st.lists(PATTERNS, min_size=1, max_size=3))
)


def compile_tree(tree: object, context: Context | None = None) -> Plan:
    return compile_config(yaml.safe_dump(tree, sort_keys=False), context or Context(branch="main"))


def list_errors(plan: Plan) -> list[str]:
    return [finding.message for finding in plan.diagnostics if finding.severity is Severity.ERROR]


@settings(deadline=None, max_examples=60)
@given(
    st.dictionaries(
        NAMES, st.lists(st.integers(0, 30), min_size=1, max_size=6, unique=True), min_size=1, max_size=3
    ),
    st.data(),
)  # fmt: skip
def test_a_matrix_is_the_product_without_what_is_excluded(
    axes: dict[str, list[int]], data: st.DataObject
) -> None:
    names = sorted(axes)
    combinations = list(itertools.product(*(axes[name] for name in names)))
    excluded = data.draw(st.lists(st.sampled_from(combinations), max_size=4))
    job = {**JOB, "parameters": {name: {"type": "integer"} for name in axes}}
    matrix = {"parameters": axes, "exclude": [dict(zip(names, values, strict=True)) for values in excluded]}
    plan = compile_tree(
        {
            "version": 2.1, "jobs": {"j": job, "after": JOB},
            "workflows": {"w": {"jobs": [{"j": {"matrix": matrix}}, {"after": {"requires": ["j"]}}]}},
        }
    )  # fmt: skip
    members = ["-".join(("j", *map(str, values))) for values in combinations if values not in excluded]
    if len(members) > 128:
        assert any("128 is the most" in message for message in list_errors(plan))
    elif members:
        assert not list_errors(plan)
        assert list(plan.workflows["w"].jobs) == [*members, "after"]
        assert list(plan.workflows["w"].jobs["after"].needs) == members
    assert math.prod(map(len, axes.values())) == len(combinations)


@settings(deadline=None, max_examples=150)
@given(
    st.one_of(st.none(), FILTER), st.one_of(st.none(), FILTER),
    st.sampled_from([("main", ""), ("dev", ""), ("", "v1"), ("", "main"), ("feature/x", "")]),
)  # fmt: skip
def test_filters_let_a_job_through_as_the_reference_says(
    branches: dict[str, object] | None, tags: dict[str, object] | None, ref: tuple[str, str]
) -> None:
    branch, tag = ref
    filters = {name: value for name, value in (("branches", branches), ("tags", tags)) if value is not None}
    entries = ["always", {"j": {"filters": filters}}]
    always = {"filters": {"tags": {"only": "/.*/"}}}
    entries[0] = {"always": always}
    plan = compile_tree(
        {"version": 2.1, "jobs": {"j": JOB, "always": JOB}, "workflows": {"w": {"jobs": entries}}},
        Context(branch=branch, tag=tag),
    )
    expected = passes(tags, tag, unfiltered=False) if tag else passes(branches, branch, unfiltered=True)
    assert ("j" in plan.workflows["w"].jobs) is expected


def passes(rules: dict[str, object] | None, name: str, *, unfiltered: bool) -> bool:
    """The reference's words: without rules the default; `only` must match, `ignore` must not."""
    if not rules:
        return unfiltered
    return ("only" not in rules or meets(rules["only"], name)) and not (
        "ignore" in rules and meets(rules["ignore"], name)
    )


def meets(rule: object, name: str) -> bool:
    texts = [str(text) for text in (rule if isinstance(rule, list) else [rule])]
    return any(
        re.fullmatch(text[1:-1], name) if len(text) > 1 and text[0] == text[-1] == "/" else text == name
        for text in texts
    )


@settings(deadline=None, max_examples=80)
@given(st.dictionaries(NAMES, st.booleans(), max_size=4), st.sets(NAMES, max_size=4))
def test_every_argument_is_declared_and_every_required_one_given(
    declared: dict[str, bool], given_names: set[str]
) -> None:
    """`declared` says of each parameter whether it has a default."""
    given_names |= set(list(declared)[:2])
    parameters = {
        name: {"type": "string", **({"default": "x"} if has else {})} for name, has in declared.items()
    }
    arguments = dict.fromkeys(given_names, "y")
    step: object = {"c": arguments} if arguments else "c"
    plan = compile_tree(
        {
            "version": 2.1,
            "commands": {"c": {"parameters": parameters, "steps": ["checkout"]}},
            "jobs": {"build": {"machine": True, "steps": [step]}},
        }
    )
    unexpected = sorted(given_names - declared.keys())
    missing = sorted(name for name, has in declared.items() if not has and name not in given_names)
    expected = []
    if unexpected:
        expected.append(f"Unexpected argument(s): {', '.join(unexpected)}")
    if missing:
        expected.append(f"Missing required argument(s): {', '.join(missing)}")
    assert sorted(list_errors(plan)) == sorted(expected)


PLACES: tuple[tuple[str | int, ...], ...] = (
    ("docker", 0, "image"), ("docker", 0, "environment", "A"), ("docker", 0, "command"), ("environment", "B"),
    ("working_directory",), ("shell",), ("resource_class",), ("parallelism",), ("steps", 1, "run", "command"),
    ("steps", 1, "run", "name"), ("steps", 1, "run", "environment", "C"), ("steps", 1, "run", "background"),
    ("steps", 2, "save_cache", "key"), ("steps", 2, "save_cache", "paths", 0), ("steps", 0), ("steps",),
    ("steps", 3, "when", "condition"), ("steps", 3, "when", "steps"), ("docker",), ("executor",),
)  # fmt: skip
VALUES = st.one_of(
    st.tuples(st.just("string"), st.text(max_size=8)),
    st.tuples(st.just("boolean"), st.booleans()),
    st.tuples(st.just("integer"), st.integers(-5, 2000)),
    st.tuples(st.just("steps"), st.just(["checkout"])),
    st.tuples(st.just("executor"), st.sampled_from(["e", {"name": "e"}])),
    st.tuples(st.just("env_var_name"), st.just("HOME")),
    st.tuples(st.just("enum"), st.sampled_from(["a", 1])),
)  # fmt: skip


@settings(deadline=None, max_examples=250)
@given(st.sampled_from(PLACES), VALUES, st.booleans())
def test_a_parameter_in_any_place_gives_its_value_or_a_finding(
    place: tuple[str | int, ...],
    parameter: tuple[str, object],
    alone: bool,  # noqa: FBT001 - drawn by position
) -> None:
    kind, value = parameter
    spec: dict[str, object] = {"type": kind, "default": value}
    if kind == "enum":
        spec["enum"] = ["a", 1]
    text = "<< parameters.p >>" if alone else "x-<< parameters.p >>"
    tree = {
        "version": 2.1,
        "executors": {"e": {"docker": [{"image": "x"}]}},
        "jobs": {"build": put_at({**make_job(), "parameters": {"p": spec}}, place, text)},
    }
    plan = compile_tree(tree)
    if has_errors(plan.diagnostics):
        assert all(finding.mark.line > 0 for finding in plan.diagnostics)
        return
    assert plan.workflows
    again = compile_config(plan.compiled, Context(branch="main"))
    assert not list_errors(again), plan.compiled
    if kind in {"string", "integer"} and place == ("docker", 0, "environment", "A"):
        shown = yaml.safe_load(plan.compiled)["jobs"]["build"]["docker"][0]["environment"]["A"]
        assert shown == (value if alone else f"x-{value}")


def make_job() -> dict[str, object]:
    return {
        "docker": [{"image": "x", "environment": {"A": "a"}, "command": "c"}],
        "environment": {"B": "b"},
        "steps": [
            "checkout",
            {"run": {"command": "ls", "environment": {"C": "c"}}},
            {"save_cache": {"key": "k", "paths": ["p"]}},
            {"when": {"condition": True, "steps": ["checkout"]}},
        ],
    }


def put_at(tree: dict[str, object], place: tuple[str | int, ...], value: object) -> dict[str, object]:
    """The tree with a value at a place; a job whose executor is set has no other."""
    if place == ("executor",):
        del tree["docker"]
    *way, last = place
    node: object = tree
    for key in way:
        node = node[key]  # type: ignore[index]  # a way through what make_job makes
    node[last] = value  # type: ignore[index]  # the same
    return tree
