"""Real configs, damaged: whatever a text looks like, compiling ends soon and never raises."""

import copy
import random
import time

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.language.circleci import compile as compile_config
from penstock.language.common.context import Context
from penstock.language.common.diagnostic import render
from penstock.model.diagnostic import has_errors
from penstock.plan.plan import decode_plan, encode
from tests.support.shared_data import find_shared, list_shared

CONFIGS = [path.read_text() for path in list_shared("circleci/configs/*.yml")]
CONTEXT = Context(branch="main", values={"pipeline.number": 1, "pipeline.project.type": "github"})
LONGEST = 5.0
"""Seconds; far above what is normal, so that a busy machine does not fail the test."""

VALUES: st.SearchStrategy[object] = st.sampled_from(
    [
        None, True, 0, -1, 1.5, "", "x", "<<", "<< parameters.x >>", "<< pipeline.number >>",
        "<<# parameters.x >>", [], {}, [[]], [None], {"a": None}, {"when": {}}, "/(/", "*", "a" * 3000,
        ["checkout"], {"run": None}, "2019-01-01",
    ]
)  # fmt: skip


def check_compile(text: str | bytes) -> None:
    start = time.monotonic()
    plan = compile_config(text, CONTEXT)
    assert time.monotonic() - start < LONGEST
    assert not (has_errors(plan.diagnostics) and plan.workflows)
    assert decode_plan(encode(plan)) == plan
    for finding in plan.diagnostics:
        assert render(finding)
        assert finding.mark.file
        assert finding.mark.line > 0, render(finding)
    if plan.workflows:
        again = compile_config(plan.compiled, CONTEXT)
        assert not has_errors(again.diagnostics), plan.compiled


def mutate_node(tree: object, randomness: random.Random, value: object) -> object:
    """One node of the tree deleted, doubled, replaced or exchanged with another."""
    containers: list[dict[object, object] | list[object]] = []
    pending = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, dict) and node:
            containers.append(node)
            pending.extend(node.values())
        elif isinstance(node, list) and node:
            containers.append(node)
            pending.extend(node)
    if not containers:
        return value
    target, other = randomness.choice(containers), randomness.choice(containers)
    source = randomness.choice(list(other.values()) if isinstance(other, dict) else other)
    replacement = copy.deepcopy(randomness.choice([value, source]))
    if isinstance(target, dict):
        key = randomness.choice(list(target))
        if randomness.random() < 0.3:
            del target[key]
        elif randomness.random() < 0.3:
            target[randomness.choice(["name", "steps", "jobs", "x y", str(value)[:20]])] = target.pop(key)
        else:
            target[key] = replacement
    else:
        index = randomness.randrange(len(target))
        if randomness.random() < 0.3:
            del target[index]
        else:
            target[index] = replacement
    return tree


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 10**9), VALUES, st.integers(1, 4))
def test_damaged_trees_never_raise(seed: int, value: object, times: int) -> None:
    find_shared("circleci/configs")
    randomness = random.Random(seed)  # noqa: S311 - a test wants a repeatable choice
    tree = yaml.safe_load(randomness.choice(CONFIGS))
    for _ in range(times):
        tree = mutate_node(tree, randomness, value)
    dumped = yaml.dump(tree, sort_keys=False, Dumper=yaml.CSafeDumper)
    check_compile(dumped)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 10**9), st.binary(max_size=4))
def test_cut_and_patched_texts_never_raise(seed: int, patch: bytes) -> None:
    find_shared("circleci/configs")
    randomness = random.Random(seed)  # noqa: S311 - a test wants a repeatable choice
    data = randomness.choice(CONFIGS).encode()
    at, upto = randomness.randrange(len(data)), randomness.randrange(len(data))
    check_compile(data[:at] + patch + data[at + randomness.randrange(30) :])
    check_compile(data[:at])
    check_compile(data[min(at, upto) : max(at, upto)])


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 10**9))
def test_swapped_words_never_raise(seed: int) -> None:
    find_shared("circleci/configs")
    randomness = random.Random(seed)  # noqa: S311 - a test wants a repeatable choice
    lines = randomness.choice(CONFIGS).splitlines()
    for _ in range(3):
        here, there = randomness.randrange(len(lines)), randomness.randrange(len(lines))
        lines[here], lines[there] = lines[there], lines[here]
        words = lines[here].split(" ")
        randomness.shuffle(words)
        lines[here] = " ".join(words)
    check_compile("\n".join(lines))


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(), st.binary()))
def test_any_text_at_all_never_raises(text: str | bytes) -> None:
    check_compile(text)
