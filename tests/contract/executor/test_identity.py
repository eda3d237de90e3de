"""Asking for an identity token from inside a job, on this host and in a container that has only a shell."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from penstock.agent.executor.base import Executor, Place, Request
from penstock.agent.executor.docker.executor import DockerExecutor
from penstock.agent.executor.host import HostExecutor
from penstock.agent.reply import Answers, Errand, Reply
from tests.support.agents import Silent, assign
from tests.support.docker import busybox_job, open_test_engine
from tests.support.running import finish


def make_host(work: Path) -> Executor:
    return HostExecutor(work, adopts=False)


def make_docker(work: Path) -> Executor:
    return DockerExecutor(open_test_engine(), work)


MAKERS: dict[str, Callable[[Path], Executor]] = {"host": make_host, "docker": make_docker}


class Caller:
    """A place, what its jobs asked for, and what they are told."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.bodies: list[dict[str, object]] = []

    def serve(self, answers: Answers | None = None) -> None:
        self.place.serve({Errand.IDENTITY: self.answer} if answers is None else answers)

    def answer(self, body: bytes) -> Reply:
        self.bodies.append(json.loads(body))
        good = not self.bodies[-1].get("ttl")
        return Reply(status=200 if good else 400, message="ey'J.b.c" if good else "ttl: too long")

    def call(self, script: str) -> tuple[int, str]:
        """Exit code and output of a script, which ends by itself."""
        running = self.place.start(
            Request(argv=("/bin/sh", "-c", script), environment={}, directory=self.place.home)
        )
        code, output = finish(running, seconds=30)
        return code, output.decode()


@pytest.fixture(params=sorted(MAKERS))
def caller(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Caller]:
    executor = MAKERS[request.param](tmp_path)
    place = executor.prepare(assign(job=busybox_job()), Silent())
    yield Caller(place)
    place.end_processes()
    place.remove()
    executor.close()


@pytest.mark.parametrize("command", ["circleci", "circleci-agent"])
def test_the_token_alone_is_printed(caller: Caller, command: str) -> None:
    caller.serve()
    claims = '{"aud": "it\'s"}'
    quoted = claims.replace("'", "'\\''")
    assert caller.call(f"{command} run oidc get --claims '{quoted}' --root-issuer") == (0, "ey'J.b.c\n")
    assert caller.call(f"x=$({command} run oidc get --claims='{quoted}'); echo $x$x") == (
        0,
        "ey'J.b.cey'J.b.c\n",
    )
    assert caller.bodies == [{"claims": claims, "root_issuer": True}, {"claims": claims}]


def test_a_refusal_is_said_and_fails(caller: Caller) -> None:
    caller.serve()
    assert caller.call("circleci run oidc get --ttl 9w") == (1, "Error: ttl: too long\n")
    assert caller.call("circleci run oidc get --ttl=9w >/dev/null 2>&1") == (1, "")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("take", "run oidc wants get"),
        ("get more", "unknown argument more"),
        ("get --x", "unknown argument --x"),
    ],
)
def test_wrong_words_are_said_and_nobody_is_asked(caller: Caller, words: str, says: str) -> None:
    caller.serve()
    assert caller.call(f"circleci run oidc {words}") == (1, f"Error: {says}\n")
    assert caller.bodies == []


@pytest.mark.parametrize("words", ["", "--help", "get --help"])
def test_help_is_printed(caller: Caller, words: str) -> None:
    caller.serve()
    code, printed = caller.call(f"circleci run oidc {words}")
    assert (code, printed.startswith("Usage: circleci run oidc get")) == (0, True)
    assert caller.bodies == []


def test_a_job_that_is_not_vouched_for_is_told_so(caller: Caller) -> None:
    expected = (
        1,
        "Error: this job gets no identity tokens: a server issues them, and none to code of forks\n",
    )
    assert caller.call("circleci run oidc get") == expected
    caller.serve({Errand.CONTINUE: lambda _: Reply(status=200, message="Accepted.")})
    assert caller.call("circleci run oidc get") == expected


def test_a_job_that_may_not_continue_is_told_so_though_it_may_ask_for_tokens(caller: Caller) -> None:
    caller.serve()
    script = "echo x >c.yml; CIRCLE_CONTINUATION_KEY=k circleci continue --config c.yml"
    code, printed = caller.call(script)
    assert (code, "only those of a setup workflow can" in printed) == (1, True)


def test_tokens_asked_for_at_once_are_all_given(caller: Caller) -> None:
    caller.serve()
    script = "for n in 1 2 3 4 5; do circleci run oidc get >out$n & done; wait; cat out*"
    assert caller.call(script) == (0, "ey'J.b.c\n" * 5)
