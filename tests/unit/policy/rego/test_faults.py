"""What is wrong with modules is told with the line, whatever they are made of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.policy.rego.errors import RegoError
from penstock.policy.rego.read_module import read_module
from tests.support.rego import compile_rules

FAULTS = [
    ("r = x", "line 2: var x is unsafe"),
    ("r = inptu.x", "line 2: var inptu is unsafe"),
    ("r { x > 1 }", "line 2: var x is unsafe"),
    ("r { not x == 1 }", "line 2: var x is unsafe"),
    ("r[x] { true }", "line 2: var x is unsafe"),
    ("r = [x | true]", "line 2: var x is unsafe"),
    ("r {\n\tx := 1\n}", "line 3: assigned var x unused"),
    ("r { some x; true }", "line 2: declared var x unused"),
    ("import data.circleci.config\nr = 1", "line 2: import data.circleci.config unused"),
    ("r = http.send({})", "line 2: undefined function http.send"),
    ('r = net.lookup_ip_addr("x")', "line 2: undefined function net.lookup_ip_addr"),
    ("r = opa.runtime()", "line 2: undefined function opa.runtime"),
    ('r = regex.match("(", "x")', "line 2: invalid pattern ("),
    ('r = regex.match("a(?=b)", "x")', "line 2: invalid pattern a(?=b)"),
    ('r = regex.replace("x", "[", "y")', "line 2: invalid pattern ["),
    ("r = count(1, 2, 3)", "line 2: count takes 1 argument(s), not 3"),
    ("r = f(1, 2, 3)\nf(x) = x", "line 2: f takes 1 argument(s), not 3"),
    ("r = f\nf(x) = x", "line 2: data.org.f is a function: it must be called"),
    (
        "r = s\ns { t }\nt { s }",
        "line 3: rule data.org.s is recursive: data.org.s -> data.org.t -> data.org.s",
    ),
    ("f(x) = f(x)", "line 2: rule data.org.f is recursive: data.org.f -> data.org.f"),
    ("r = 1\nr(x) = x", "line 3: conflicting rules data.org.r found"),
    ("r = 1\nr.x = 2", "line 3: rule data.org.r.x conflicts with another rule"),
    ("default r = 1\ndefault r = 2", "line 3: multiple default rules data.org.r found"),
]


@pytest.mark.parametrize(("rules", "want"), FAULTS, ids=[rules[:50] for rules, _ in FAULTS])
def test_a_mistake_in_what_rules_mean_is_found_before_they_are_evaluated(rules: str, want: str) -> None:
    _, faults = compile_rules(rules)
    assert want in [str(each) for each in faults]


TEXTS = [
    ("", "line 1: unexpected end of file: package expected"),
    ("package", "expected a name"),
    ("package a\nx", ""),
    ("package a\nx = = 2", "line 2: unexpected ="),
    ("package a\nx {", "line 2: unexpected end of file"),
    ("package a\nx {}", "found empty body"),
    ('package a\nx = "y', "line 2: non-terminated string"),
    ("package a\nx = `y", "line 2: non-terminated string"),
    ('package a\nx = "\\q"', "line 2: invalid escape in a string"),
    ("package a\nx = 'y'", "illegal token '"),
    ("package a\nx = \x00", "line 2: illegal character"),
    ("package a\nimport x", "an import begins with data, input, future or rego"),
    ("package a\nimport rego.v1\nx { true }", "`if` keyword is required before rule body"),
    ("package a\nimport rego.v1\nx[1]", "`contains` keyword is required for partial set rules"),
    ("package a\nx = " + "[" * 200, "nested more than 60 levels deep"),
    ("package a\nx = " + "not " * 9, "unexpected not"),
    ("package a\nx = " + "9" * 500, "a number is too long"),
    ("package a\nx = 1 y = 2", "expected the end of the rule"),
    ("package a\nx[a](b) = 1", "the name of a function can have no variables"),
]


@pytest.mark.parametrize(("text", "want"), TEXTS, ids=[text[:40] for text, _ in TEXTS])
def test_what_is_no_module_is_refused_with_its_line(text: str, want: str) -> None:
    if not want:
        assert read_module(text).rules
        return
    with pytest.raises(RegoError) as caught:
        read_module(text)
    assert want in str(caught.value)


@given(
    st.lists(
        st.sampled_from(
            [
                "package a\n",
                "x",
                "{",
                "}",
                "[",
                "]",
                "(",
                ")",
                "|",
                ":",
                ":=",
                "=",
                "not ",
                "some ",
                " in ",
                "\n",
                "if ",
                "contains ",
                "1",
                '"t"',
                ".",
                ",",
                "with ",
                " as ",
                "else ",
                "every ",
                "default ",
                "import ",
                "-",
                "_",
                "`",
            ]
        ),
        max_size=40,
    )
)
def test_no_text_is_more_than_a_module_or_an_error(parts: list[str]) -> None:
    text = "package a\n" + "".join(parts)
    try:
        module = read_module(text)
    except RegoError:
        return
    compile_rules(text.partition("\n")[2])
    assert module.package == ("a",)
