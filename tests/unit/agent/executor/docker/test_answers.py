import subprocess

import pytest

from penstock.agent.executor.docker.answers import (
    Question,
    join_options,
    read_question,
    write_substitution,
)


def ask(*words: str, given: bytes = b"") -> Question:
    return Question(words=words, index="0", total="1", directory="/", input=given)


def run(script: str, **variables: str) -> str:
    """What the script prints where it runs."""
    done = subprocess.run(
        ["/bin/sh", "-c", script], env=variables, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_a_request_holds_words_with_anything_in_them() -> None:
    data = b"2\0env\0two\nlines \xff\0" + b"3\0" + b"4\0" + b"/here\0" + b"in\0put\n"
    question = read_question(data)
    assert question == Question(
        words=("env", "two\nlines \udcff"), index="3", total="4", directory="/here", input=b"in\0put\n"
    )


@pytest.mark.parametrize("data", [b"", b"x\0", b"9\0a\0"])
def test_what_is_no_request_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_question(data)


def test_variables_are_replaced_where_the_command_runs() -> None:
    text = b"it's $A ${B} ${C:-c d} ${D-d} $(touch x) `x` $E.\n"
    script = write_substitution(ask("env", "subst", given=text))
    assert run(script, A="1 '\"$B", B="two\n", C="", D="") == "it's 1 '\"$B two\n c d  $(touch x) `x` .\n"


def test_defaults_and_replacements_are_those_of_a_shell() -> None:
    text = b"${A=a}${N=n}${C:=c}|${A+a}${M+n}${B:+c}${B+b}|${M:+n}\n"
    script = write_substitution(ask("env", "subst", given=text))
    assert run(script, A="1", B="", C="") == "1nc|ab|\n"


def test_values_of_options_may_stand_apart() -> None:
    words = ["list", "--index", "1", "--show-counts", "--command", "xargs a", "--total=2", "--total"]
    joined = ["list", "--index=1", "--show-counts", "--command=xargs a", "--total=2", "--total="]
    assert join_options(words) == joined
