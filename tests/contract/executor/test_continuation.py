"""Continuing a pipeline from inside a job, on this host and in a container that has only a shell."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from penstock.agent.executor.base import Executor, Place, Request
from penstock.agent.executor.docker.executor import DockerExecutor
from penstock.agent.executor.host import HostExecutor
from penstock.agent.reply import Errand, Reply
from tests.support.agents import Silent, assign
from tests.support.docker import busybox_job, open_test_engine
from tests.support.running import finish

URL = "https://circleci.com/api/v2/pipeline/continue"
GOOD = '{"continuation-key": "k", "configuration": "good\\n"}'


def make_host(work: Path) -> Executor:
    return HostExecutor(work, adopts=False)


def make_docker(work: Path) -> Executor:
    return DockerExecutor(open_test_engine(), work)


MAKERS: dict[str, Callable[[Path], Executor]] = {"host": make_host, "docker": make_docker}


REFUSED = '{"message":"it is \\"bad\\"\\nso there"}'


class Caller:
    """A place that is served, what it asked for, and what it is told."""

    def __init__(self, place: Place, *, served: bool = True) -> None:
        self.place = place
        self.bodies: list[bytes] = []
        if served:
            place.serve({Errand.CONTINUE: self.answer})

    def answer(self, body: bytes) -> Reply:
        self.bodies.append(body)
        good = b"good" in body
        return Reply(status=200 if good else 400, message="Accepted." if good else 'it is "bad"\nso there')

    def call(self, script: str, **environment: str) -> tuple[int, str]:
        """Exit code and output of a script, which ends by itself."""
        running = self.place.start(
            Request(argv=("/bin/sh", "-c", script), environment=environment, directory=self.place.home)
        )
        code, output = finish(running, seconds=30)
        return code, output.decode()


@pytest.fixture(params=sorted(MAKERS))
def caller(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Caller]:
    executor = MAKERS[request.param](tmp_path)
    place = executor.prepare(assign(job=busybox_job(), continues=True), Silent())
    yield Caller(place)
    place.end_processes()
    place.remove()
    executor.close()


@pytest.mark.parametrize(
    ("options", "printed"),
    [
        (f"-s -d '{GOOD}'", '{"message":"Accepted."}'),
        (f"-sd'{GOOD}'", '{"message":"Accepted."}'),
        (f"--silent --data-raw '{GOOD}' -XPOST -H 'A: b'", '{"message":"Accepted."}'),
        ("-s -X POST --data-binary @good.json", '{"message":"Accepted."}'),
        ("-s --json @- <good.json", '{"message":"Accepted."}'),
        ("-s -o /dev/null -w '%{http_code}' -d @good.json", "200"),
        ("-so answer -w 'code=%{response_code} %{time_total}s\\n' -d @good.json", "code=200 s\n"),
        ("--retry 5 --retry-delay 0 --retry-connrefused -w '%{http_code}' -d bad", f"{REFUSED}400"),
    ],
)
def test_curl_shows_the_answer_as_curl_does(caller: Caller, options: str, printed: str) -> None:
    assert caller.call(f"echo '{GOOD}' >good.json; curl {URL} {options}") == (0, printed)


def test_curl_writes_to_a_file(caller: Caller) -> None:
    assert caller.call(f"curl -sS --output answer -d '{GOOD}' {URL} && cat answer") == (
        0,
        '{"message":"Accepted."}',
    )


@pytest.mark.parametrize(
    ("options", "code", "printed"),
    [
        ("-f", 22, "curl: (22) The requested URL returned error: 400\n"),
        ("-sf", 22, ""),
        ("-s --fail-with-body", 22, '{"message":"it is \\"bad\\"\\nso there"}'),
        ("-s", 0, '{"message":"it is \\"bad\\"\\nso there"}'),
    ],
)
def test_curl_fails_when_it_is_to(caller: Caller, options: str, code: int, printed: str) -> None:
    assert caller.call(f"curl {options} -d bad {URL}") == (code, printed)


def test_a_file_that_is_missing_is_said_as_curl_does(caller: Caller) -> None:
    assert caller.call(f"curl -d @none {URL}")[0] == 26
    assert caller.bodies == []


def test_another_address_goes_to_the_next_curl(caller: Caller) -> None:
    script = """mkdir own; printf '#!/bin/sh\\necho real $*\\n' >own/curl; chmod +x own/curl
    PATH=${PATH%%:*}:$PWD/own:${PATH#*:}; curl -s 'http://localhost/a b'"""
    assert caller.call(script) == (0, "real -s http://localhost/a b\n")


def test_without_a_curl_another_address_is_refused(caller: Caller) -> None:
    code, output = caller.call("PATH=${PATH%%:*}; curl http://localhost/")
    assert code == 127
    assert "curl: not found" in output


def test_the_command_continues(caller: Caller) -> None:
    script = 'echo good >c.yml; echo "{}" >p.json; circleci continue --config c.yml --parameters @p.json'
    assert caller.call(script, CIRCLE_CONTINUATION_KEY="k") == (0, "Accepted.\n")
    assert json.loads(caller.bodies[0]) == {
        "continuation-key": "k",
        "configuration": "good\n",
        "parameters": {},
    }


def test_the_command_takes_parameters_as_text(caller: Caller) -> None:
    script = """printf '%s\\n' 'good "quotes" \\and $more ä' >c.yml
    circleci-agent continue --config=c.yml --parameters='{"a": "b c", "n": 1, "yes": true}'"""
    assert caller.call(script, CIRCLE_CONTINUATION_KEY="k") == (0, "Accepted.\n")
    asked = json.loads(caller.bodies[0])
    assert asked["configuration"] == 'good "quotes" \\and $more ä\n'
    assert asked["parameters"] == {"a": "b c", "n": 1, "yes": True}


@pytest.mark.parametrize(
    ("arguments", "key", "said"),
    [
        ("--config bad.yml", "k", 'it is "bad"\nso there\n'),
        ("--config none.yml", "k", "Error: "),
        ("", "k", "Error: continue needs --config=FILE"),
        ("--config bad.yml --parameters '[1]'", "k", "Error: --parameters must be a JSON object"),
        ("--config bad.yml --parameters '{'", "k", "Error: --parameters must be a JSON object"),
        ("--config bad.yml", "", "Error: there is no CIRCLE_CONTINUATION_KEY"),
    ],
)
def test_the_command_fails_with_the_reason(caller: Caller, arguments: str, key: str, said: str) -> None:
    code, output = caller.call(
        f"echo bad >bad.yml; circleci continue {arguments}", CIRCLE_CONTINUATION_KEY=key
    )
    assert code == 1
    assert output.startswith(said)


def test_a_large_config_arrives_whole(caller: Caller) -> None:
    script = f"""i=0; line=good; while [ $i -lt 15 ]; do line=$line$line; i=$((i + 1)); done
    printf '{{"continuation-key": "k", "configuration": "%s"}}' "$line" >body.json
    curl -s -o /dev/null -w '%{{http_code}}' -d @body.json {URL}"""
    assert caller.call(script) == (0, "200")
    assert len(json.loads(caller.bodies[0])["configuration"]) == 4 << 15


def test_requests_at_once_are_all_answered(caller: Caller) -> None:
    script = f"for i in 1 2 3 4; do curl -s -d 'good '$i {URL} & done; wait"
    assert caller.call(script) == (0, '{"message":"Accepted."}' * 4)
    assert sorted(caller.bodies) == [b"good 1", b"good 2", b"good 3", b"good 4"]


@pytest.mark.parametrize("kind", sorted(MAKERS))
def test_other_jobs_have_neither_curl_nor_an_answer(kind: str, tmp_path: Path) -> None:
    executor = MAKERS[kind](tmp_path)
    place = executor.prepare(assign(job=busybox_job()), Silent())
    try:
        caller = Caller(place, served=False)
        assert caller.call("test -e ${PATH%%:*}/curl") == (1, "")
        code, output = caller.call("echo x >c; circleci continue --config c", CIRCLE_CONTINUATION_KEY="k")
        assert code == 1
        assert "cannot continue its pipeline" in output
    finally:
        place.end_processes()
        place.remove()
        executor.close()
