"""The expression language, against the vendor's corpus and by its own laws."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.language.circleci.expression.evaluator import MISSING, evaluate
from penstock.language.circleci.expression.parser import parse_expression
from penstock.language.circleci.expression.token import ExpressionError, Pattern
from tests.support.shared_data import SHARED, find_shared

VECTORS_PATH = "circleci/expr/evaluator-vectors.json"
VECTORS = (
    json.loads((SHARED / VECTORS_PATH).read_text())["vectors"] if (SHARED / VECTORS_PATH).exists() else []
)


def run(text: str, environment: dict[str, object] | None = None) -> object:
    return evaluate(parse_expression(text), lambda name: (environment or {}).get(name, MISSING))


def show(text: str, environment: dict[str, object]) -> dict[str, object]:
    """The result in the corpus's form."""
    try:
        value = run(text, environment)
    except ExpressionError as error:
        shown: dict[str, object] = {
            "errorType": error.type,
            "lexeme": error.lexeme,
            "charPos": error.position,
        }
        return {"error": shown | ({"tokenType": str(error.kind)} if error.kind else {})}
    return {"expected": {"regexp": value.text} if isinstance(value, Pattern) else value}


@pytest.mark.parametrize(
    "vector", VECTORS, ids=lambda vector: f"{vector['group']}: {vector['expression'][:40]}"
)
def test_the_vendors_corpus_is_reproduced(vector: dict[str, object]) -> None:
    environment = vector["environment"]
    assert isinstance(environment, dict)
    result = show(str(vector["expression"]), environment)
    wanted = {key: vector[key] for key in ("expected", "error") if key in vector}
    assert json.dumps(result, sort_keys=True) == json.dumps(wanted, sort_keys=True)


def test_the_corpus_is_complete() -> None:
    find_shared(VECTORS_PATH)
    assert len(VECTORS) == 243


@pytest.mark.parametrize(
    ("text", "environment", "expected"),
    [
        ('pipeline.git.branch == "main" and 10 or 1', {"pipeline.git.branch": "main"}, 10),
        ('pipeline.git.branch == "main" and 10 or 1', {"pipeline.git.branch": None}, 1),
        ("1 < 2 == true", {}, True),
        ("not 1 > 2", {}, None),
        ("(not false) and !false", {}, True),
        ("true or unknown", {}, True),
        ("false and unknown", {}, False),
        (r'"a\"b\\c"', {}, 'a"b\\c'),
        ('"a/b" matches /a\\/b/', {}, True),
        ("1 == true", {}, False),
        ('"1" == 1', {}, False),
    ],
)
def test_values(text: str, environment: dict[str, object], expected: object) -> None:
    if expected is None:
        with pytest.raises(ExpressionError):
            run(text, environment)
    else:
        result = run(text, environment)
        assert (result, type(result)) == (expected, type(expected))


@pytest.mark.parametrize(
    "text",
    ["(" * 1000 + "1" + ")" * 1000, "!" * 2000 + "true", "1" + " == 1" * 400, "not " * 500 + "true"],
    ids=["parentheses", "bangs", "comparisons", "nots"],
)
def test_expressions_too_deep_to_evaluate_are_refused(text: str) -> None:
    with pytest.raises(ExpressionError) as error:
        run(text)
    assert error.value.type == "Parser/TOO_COMPLEX"


def test_long_chains_of_one_operator_are_fine() -> None:
    assert run("true" + " and true" * 220) is True
    assert run("false" + " or false" * 220) is False


@pytest.mark.parametrize("text", ["/a(?=b)/", "/(?<!a)b/", r"/(a)\1/", "/a(?!b)/"])
def test_what_re2_has_not_is_no_pattern(text: str) -> None:
    with pytest.raises(ExpressionError) as error:
        parse_expression(text)
    assert error.value.type == "Scanner/INVALID_PATTERN"


LEAVES = st.one_of(
    st.booleans().map(lambda value: str(value).lower()), st.integers(0, 99).map(str),
    st.sampled_from(['"a"', '""', "name", "absent", "unknown", "/a+/"]),
)  # fmt: skip
OPERATORS = ["and", "or", "==", "!=", ">", "<=", "contains", "starts-with", "matches"]
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(OPERATORS), inner).map(lambda parts: f"({' '.join(parts)})"),
        inner.map(lambda text: f"not {text}"),
        inner.map(lambda text: f"({text})"),
    ),
    max_leaves=12,
)


@settings(max_examples=400, deadline=None)
@given(TREES)
def test_well_formed_expressions_have_a_value_or_a_fault_at_run_time(text: str) -> None:
    try:
        run(text, {"name": "aa", "absent": None})
    except ExpressionError as error:
        assert error.type.startswith("Interpreter/")  # noqa: PT017 - both outcomes are right


@settings(max_examples=400, deadline=None)
@given(st.text(alphabet='ab.01"/()!=<> \\andortuefsnm-?', max_size=40))
def test_any_text_has_a_value_or_one_kind_of_error(text: str) -> None:
    try:
        run(text, {})
    except ExpressionError as error:
        assert 0 <= error.position <= len(text) + 1  # noqa: PT017 - both outcomes are right


@settings(max_examples=200, deadline=None)
@given(TREES)
def test_a_double_negation_is_the_truth_of_a_value(text: str) -> None:
    environment: dict[str, object] = {"name": "aa", "absent": None, "unknown": 1}
    try:
        value = run(text, environment)
    except ExpressionError:
        return
    assert run(f"not not ({text})", environment) is bool(value)
