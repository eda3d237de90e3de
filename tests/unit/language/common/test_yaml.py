"""YAML with places: the same values as PyYAML's safe loader, and bounded whatever the text."""

import datetime as dt
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.language.common import yaml as loader
from penstock.language.common.diagnostic import Reporter, render
from penstock.language.common.scalars import TEXT, resolve_plain
from penstock.language.common.tree import Items, Map, Place
from penstock.language.common.yaml import load_yaml
from tests.support.shared_data import find_shared, list_shared

CONFIGS = list_shared("circleci/configs/*.yml")


def load(text: str | bytes) -> object:
    report = Reporter()
    value = load_yaml(text, "c.yml", report)
    assert not report.failed, [render(finding) for finding in report.list_findings()]
    return value


def list_errors(text: str | bytes) -> list[tuple[str, int, int]]:
    report = Reporter()
    load_yaml(text, "c.yml", report)
    return [(finding.code, finding.mark.line, finding.mark.column) for finding in report.list_findings()]


def is_same(ours: object, theirs: object) -> bool:
    """Equal in value and type; keys count as written, dates as text."""
    if isinstance(theirs, dict):
        if not isinstance(ours, Map) or len(ours) != len(theirs):
            return False
        written = {find_key(key, ours): value for key, value in theirs.items()}
        return all(key in ours and is_same(ours[key], value) for key, value in written.items())
    if isinstance(theirs, list):
        return isinstance(ours, Items) and len(ours) == len(theirs) and all(map(is_same, ours, theirs))
    if isinstance(theirs, dt.date):
        return isinstance(ours, str)
    return type(ours) is type(theirs) and (ours == theirs or (ours != ours and theirs != theirs))  # noqa: PLR0124 - NaN


def find_key(theirs: object, ours: Map) -> str:
    """Our key for one of the safe loader's."""
    if isinstance(theirs, str | dt.date):
        return str(theirs)
    return next((key for key in ours if (value := resolve_plain(key)) is not TEXT and value == theirs), "")


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_real_configs_load_as_the_safe_loader_loads_them(path: Path) -> None:
    text = path.read_text()
    assert is_same(load(text), yaml.load(text, yaml.CSafeLoader))


def test_there_are_real_configs_to_compare() -> None:
    assert len(list(find_shared("circleci/configs").glob("*.yml"))) > 100


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.from_regex(r"[-+.0-9:_xobe]{1,8}"),
    st.sampled_from([
        "yes", "No", "ON", "off", "~", "null", "=", "<<", "0x1F", "017", "0o17", "1_000", "190:20:30", "1e3",
        "1.0e+3", ".inf", "-.INF", ".nan", "2020-01-01", "*", "&a", "!x", "- a", "a: b", "# c",
    ]),
)  # fmt: skip
TEXT_KEYS = st.text(st.characters(codec="ascii", categories=["L"]), min_size=3, max_size=8)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT_KEYS, inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None)
@given(document=DOCUMENTS, flow=st.booleans())
def test_generated_documents_load_as_the_safe_loader_loads_them(document: object, flow: bool) -> None:  # noqa: FBT001 - drawn by name
    text = yaml.dump({"top": document}, default_flow_style=flow, allow_unicode=True)
    assert is_same(load(text), yaml.load(text, yaml.CSafeLoader))


@settings(max_examples=500, deadline=None)
@given(st.from_regex(r"[-+.0-9a-fxob:_eE~yYnN]{1,12}", fullmatch=True))
def test_plain_scalars_mean_what_they_mean_to_the_safe_loader(text: str) -> None:
    try:
        theirs = yaml.load(f"[{text}]", yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError):
        return
    if theirs == [{}] or not isinstance(theirs[0], dict):
        assert is_same(load(f"[{text}]"), theirs)


def test_merge_keys_give_way_to_own_keys_and_earlier_ones_win() -> None:
    text = "a: &a {x: 1, y: 1}\nb: &b {x: 2, z: 2}\nc: {<<: [*a, *b], y: 3}\nd: {y: 4, <<: *a}\n"
    assert load(text) == yaml.safe_load(text)


def test_keys_are_the_text_as_written() -> None:
    assert load("on: 1\n1.10: 2\n3: 3\nnull: 4") == {"on": 1, "1.10": 2, "3": 3, "null": 4}


def test_explicit_tags_of_plain_types_are_understood() -> None:
    assert load("a: !!str 5\nb: !!int '7'\nc: ! x") == {"a": "5", "b": 7, "c": "x"}


def test_an_alias_shares_its_value() -> None:
    value = load("a: &x [1]\nb: *x")
    assert isinstance(value, Map)
    assert value["a"] is value["b"]


def test_templates_are_noticed_at_every_level() -> None:
    value = load("a: {b: [{c: '<< x >>'}]}\nd: {e: f}")
    assert isinstance(value, Map)
    assert (value.templated, value["a"].templated, value["d"].templated) == (True, True, False)  # type: ignore[attr-defined]  # maps


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: b: c", [("yaml-syntax", 1, 5)]),
        ("a:\n\tb: c", [("yaml-syntax", 2, 1)]),
        ("a: *x", [("undefined-alias", 1, 4)]),
        ("a: &x [*x]", [("alias-loop", 1, 4)]),
        ("a: 1\nb: 2\na: 3\na: 4", [("duplicate-key", 3, 1), ("duplicate-key", 4, 1)]),
        ("? [a]\n: b", [("yaml-key", 1, 3)]),
        ("<<: 3", [("yaml-merge", 1, 5)]),
        ("a: !ruby/object x", [("yaml-tag", 1, 4)]),
        ("---\na: 1\n---\nb: 2", [("yaml-syntax", 3, 1)]),
        ("a: 'open", [("yaml-syntax", 1, 9)]),
        ("a: \x01", [("yaml-syntax", 1, 4)]),
        ("\x00", [("yaml-syntax", 1, 1)]),
        (b"a: 1\nb: \xff", [("not-utf8", 2, 0)]),
        ('a: "\ud800"', [("not-utf8", 1, 0)]),
    ],
)
def test_mistakes_have_a_code_and_a_place(text: str | bytes, expected: list[tuple[str, int, int]]) -> None:
    assert list_errors(text) == expected


def test_a_duplicate_key_names_the_first_place() -> None:
    report = Reporter()
    load_yaml("a: 1\nb: 2\na: 3", "c.yml", report)
    (finding,) = report.list_findings()
    assert finding.message == "Unable to parse YAML: found duplicate key a (first on line 1)"
    assert finding.source == "a: 3"


def test_a_merged_key_may_be_given_again() -> None:
    assert load("a: &a {x: 1}\nb: {<<: *a, x: 2}") == {"a": {"x": 1}, "b": {"x": 2}}


def test_a_byte_order_mark_is_no_content() -> None:
    assert load(b"\xef\xbb\xbfa: 1") == {"a": 1}
    assert load("") is None
    assert load("# only a comment\n") is None


BILLION = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10)
)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("x" * 50_000_000, "source-too-large"),
        ("[" * 1_000_000, "yaml-too-complex"),
        ("{a: " * 500_000, "yaml-too-complex"),
        ("- " * 1_000_000, "yaml-too-complex"),
        ("".join(f"{' ' * n}a:\n" for n in range(2000)), "yaml-too-complex"),
        ("- a\n" * 1_000_000, "yaml-too-complex"),
        (BILLION, "yaml-too-complex"),
        (f"a: &a {'x' * 100_000}\nb: [{'*a, ' * 5000}]\n", "yaml-too-complex"),
    ],
    ids=["50 MB", "brackets", "braces", "dashes", "steps", "long list", "billion laughs", "long text often"],
)
def test_bombs_are_refused_soon(text: str, code: str) -> None:
    start = time.process_time()
    assert [found for found, _, _ in list_errors(text)] == [code]
    assert time.process_time() - start < 4  # 2 on a machine that does nothing else


def test_the_deepest_permitted_nesting_loads() -> None:
    depth = loader.DEEPEST_NESTING - 2
    assert load("[" * depth + "]" * depth) is not None


def test_a_place_points_at_the_value_or_its_key() -> None:
    value = load("jobs:\n  build:\n    steps: [one, two]\n")
    assert isinstance(value, Map)
    jobs = value["jobs"]
    assert isinstance(jobs, Map)
    build = jobs["build"]
    assert isinstance(build, Map)
    assert str(Place(jobs, "build", on_key=True).find_mark()) == "c.yml:2:3"
    assert str(Place(build, "steps").find_mark()) == "c.yml:3:12"
    assert Place(build, "steps").find_pointer() == "#/jobs/build/steps"
    assert Place(build["steps"], 1).find_pointer() == "#/jobs/build/steps/1"  # type: ignore[arg-type]  # a list
    assert str(Place(build, "missing").find_mark()) == "c.yml:3:5"


def test_a_merged_value_is_where_it_was_written() -> None:
    value = load("base: &base\n  image: old\nmore:\n  <<: *base\n")
    assert isinstance(value, Map)
    more = value["more"]
    assert isinstance(more, Map)
    assert str(Place(more, "image").find_mark()) == "c.yml:2:10"


def test_a_piece_of_a_block_is_on_its_own_line() -> None:
    value = load("run: |\n  one\n  two << x >> three\n")
    assert isinstance(value, Map)
    assert str(Place(value, "run").find_text("<< x >>")) == "c.yml:3:7"
    assert str(Place(value, "run").find_text("absent")) == "c.yml:1:6"


def test_data_without_a_source_has_a_place_without_a_line() -> None:
    assert str(Place(Map([("a", 1)]), "a").find_mark()) == ""
    assert Place(Map(())).find_pointer() == "#"
