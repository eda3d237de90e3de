"""`<< >>` in texts: what is a reference, what is an expression, and what is only text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.language.circleci.budget import Budget
from penstock.language.circleci.fill import Filler
from penstock.language.circleci.names import Names
from penstock.language.circleci.template import Reference, parse_template
from penstock.language.circleci.values import KNOWN, PipelineValues
from penstock.language.common.context import Context
from penstock.language.common.diagnostic import Reporter
from penstock.language.common.tree import Map, Place, Unresolved
from tests.support.shared_data import find_shared

PARAMETERS: dict[str, object] = {
    "text": "t", "empty": "", "yes": True, "no": False, "number": 5, "none": None, "odd.name-1": "o",
    "täg": "u",
}  # fmt: skip


def fill(text: str) -> tuple[object, list[str]]:
    report = Reporter()
    values = PipelineValues(Context(branch="main", values={"pipeline.number": 7, "pipeline.git.tag": None}))
    filler = Filler(Names(values, parameters=PARAMETERS), report, Budget(report))
    filled = filler.fill(text, Place(Map(())))
    return filled, [finding.code for finding in report.list_findings()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<< parameters.text >>", "t"),
        ("<<parameters.text>>", "t"),
        ("<< parameters.number >>", 5),
        ("<< parameters.yes >>", True),
        ("<< parameters.none >>", None),
        ("<< pipeline.number >>", 7),
        ("<< pipeline.git.tag >>", None),
        ("<< parameters.odd.name-1 >>", "o"),
        ("<< parameters.täg >>", "u"),
        ("<< parameters.missing? >>", None),
        (" << parameters.number >>", " 5"),
        ("<< parameters.yes >><< parameters.no >>", "truefalse"),
        ("[<< parameters.none >>]", "[]"),
        ("<< parameters.number > 3 >>", True),
        ('<< parameters.yes and "a" or "b" >>', "a"),
        ("<<# parameters.yes >>a<</ parameters.yes >>b", "ab"),
        ("<<# parameters.no >>a<</ parameters.no >>b", "b"),
        ("<<^ parameters.no >>a<</parameters.no>>b", "ab"),
        ("<<#parameters.yes>>a<<#parameters.no>>b<</parameters.no>>c<</parameters.yes>>", "ac"),
        ("<<# parameters.text >><< parameters.text >>!<</ parameters.text >>", "t!"),
        (r"\<< parameters.text >>", "<< parameters.text >>"),
        (r"\\<< parameters.text >>", r"\t"),
        (r"\\\<< parameters.text >>", r"\<< parameters.text >>"),
        ("cat <<EOF\n<< parameters.text >>\nEOF", "cat <<EOF\nt\nEOF"),
        ("read x <<< word", "read x <<< word"),
        ("a << b", "a << b"),
        ("$((1 << 2)) >> f", "$((1 << 2)) >> f"),
        ("cat <<EOF >> file", "cat <<EOF >> file"),
        ("plain", "plain"),
    ],
)
def test_texts_fill_to(text: str, expected: object) -> None:
    filled, codes = fill(text)
    assert (filled, type(filled), codes) == (expected, type(expected), [])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("<< parameters.missing >>", "undeclared-parameter"),
        ("x<<# parameters.missing >>y<</ parameters.missing >>", "undeclared-parameter"),
        ("<< pipeline.parameters.missing >>", "unknown-variable"),
        ("<< pipeline.git.brunch >>", "unknown-variable"),
        ("<< matrix.x >>", "unknown-variable"),
        ("<< parameters.text > 3 >>", "invalid-expression"),
        ("<< parameters.text == >>", "invalid-expression"),
        ("<<# parameters.yes >>open", "open-section"),
        ("<<" * 10_001, "too-many-expressions"),
    ],
)
def test_mistakes_are_found_and_leave_the_text_unresolved(text: str, code: str) -> None:
    filled, codes = fill(text)
    assert codes == [code]
    assert isinstance(filled, Unresolved)


@pytest.mark.parametrize("text", ["<<" + " " * 2048 + ">>", "read x <<< word" + "x" * 2048])
def test_brackets_that_do_not_close_soon_are_text_with_a_warning(text: str) -> None:
    assert fill(text) == (text, ["expression-too-long"])


@given(st.text(alphabet=st.characters(exclude_characters="<\\")))
def test_text_without_brackets_is_itself(text: str) -> None:
    assert parse_template(text) == ((text,) if text else ())


@given(st.from_regex(r"[a-z][a-z0-9_-]{0,20}", fullmatch=True), st.text(" ", max_size=3))
def test_a_reference_is_found_whatever_the_blanks(name: str, blanks: str) -> None:
    (part,) = parse_template(f"<<{blanks}parameters.{name}{blanks}>>")
    assert isinstance(part, Reference)
    assert part.name == f"parameters.{name}"


@given(st.text(alphabet="<>/#^\\ parmetsx.\n", max_size=60))
def test_any_text_parses(text: str) -> None:
    filled, _ = fill(text)
    assert isinstance(filled, str | int | bool | None)


def test_the_known_values_are_those_of_the_vendors_list() -> None:
    lines = find_shared("circleci/expr/pipeline-values.tsv").read_text().splitlines()
    listed = {line.split("\t")[0] for line in lines if line and not line.startswith("#")}
    names = {name for pattern in listed for name in expand_braces(pattern.replace("(uuid)", ""))}
    assert {name for name in names if not name.startswith("pipeline.parameters")} - set(KNOWN) == set()


def expand_braces(pattern: str) -> list[str]:
    prefix, opening, rest = pattern.partition("{")
    return [prefix + word for word in rest.rstrip("}").split(",")] if opening else [pattern]
