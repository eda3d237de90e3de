import os
import subprocess
import threading
from pathlib import Path

import pytest

from penstock.agent.executor.docker.answers import (
    AnswerService,
    Lookup,
    Question,
    join_options,
    read_question,
    write_substitution,
)
from penstock.agent.executor.docker.control import ControlFolder
from penstock.agent.reply import Errand, Reply
from tests.support.processes import wait_until


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


def test_a_container_that_goes_waits_for_one_answer_and_not_for_all_it_asked_for(tmp_path: Path) -> None:
    busy, free, bodies = threading.Event(), threading.Event(), list[bytes]()

    def think(body: bytes) -> Reply:
        bodies.append(body)
        busy.set()
        assert free.wait(20)
        return Reply(status=200, message="at last")

    control = ControlFolder(tmp_path / "control")
    service = AnswerService(control, Lookup(measure=len, read=str.encode))
    service.replies = {Errand.IDENTITY: think}
    control.write("request-0", b"3\0run\0oidc\0get\0" + b"0\0" + b"1\0" + b"/\0")
    asking = os.open(control.path / "ask", os.O_WRONLY | os.O_NONBLOCK)
    os.write(asking, b"ask 0\n" * 300)
    assert busy.wait(20)
    end = threading.Thread(target=service.close)
    end.start()
    wait_until(lambda: service._closed, seconds=10, what="it is told")
    free.set()
    end.join(20)
    os.close(asking)
    assert len(bodies) == 1
