"""The processed text: YAML that means what was put into it, in the vendor's layout."""

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.language.circleci.emit import Emitter, emit_inline, emit_scalar

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(),
    st.text(alphabet="a :#-\n'\"{[,&*!|>%@`?=<~ty0.1\t", max_size=12),
    st.sampled_from([
        "yes", "no", "null", "~", "", " ", "a\nb\n", "a\nb", "\na", "  a\nb\n\n", "a \nb", "2020-01-01",
        "1e3", "0x1", "=", "<<", "-", "---", "...", "a: b", "a #b", "key:", "{{ x }}", "*.txt", "\u2028",
        "\ufffe",
    ]),
)  # fmt: skip
KEYS = st.one_of(st.text(min_size=1, max_size=6), st.sampled_from(["on", "1.10", "a b", "null", "-", "?x"]))
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=15,
)


@settings(max_examples=500, deadline=None)
@given(st.dictionaries(KEYS, TREES, min_size=1, max_size=4))
def test_what_is_printed_reads_back_the_same(tree: dict[str, object]) -> None:
    assert yaml.safe_load(Emitter().emit(tree)) == tree


@settings(max_examples=300, deadline=None)
@given(TREES)
def test_flow_style_reads_back_the_same(tree: object) -> None:
    assert yaml.safe_load(f"x: {emit_inline(tree)}") == {"x": tree}


def test_the_layout_is_the_vendors() -> None:
    steps = ["checkout", {"run": {"command": "one\ntwo\n", "name": "x: y"}}]
    tree: dict[str, object] = {"jobs": {"a": {"steps": steps, "none": []}}}
    assert Emitter().emit(tree) == (
        "jobs:\n  a:\n    steps:\n    - checkout\n    - run:\n"
        "        command: |\n          one\n          two\n"
        '        name: "x: y"\n    none: []\n'
    )


def test_texts_that_would_be_something_else_are_quoted() -> None:
    assert [emit_scalar(text) for text in ("yes", "1", "", "a", "*")] == ['"yes"', '"1"', '""', "a", '"*"']


def test_a_very_long_key_reads_back_the_same() -> None:
    tree: dict[str, object] = {"a": {"k" * 3000: {"b": 1}, "l" * 3000: "x", "m" * 3000: []}}
    assert yaml.safe_load(Emitter().emit(tree)) == tree
