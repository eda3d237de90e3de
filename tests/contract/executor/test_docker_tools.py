"""What the agent gives to jobs besides files, where there is nothing but a shell: shares of tests, keys."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.agent.executor.docker.executor import DockerExecutor
from penstock.model.status import TaskStatus
from penstock.plan.step import AddSshKeys
from tests.support.agents import Bench, agent_at_work
from tests.support.docker import busybox_job, open_test_engine
from tests.support.keys import known_key
from tests.support.transport import FakeServer

NAMES = "printf 'a\\nb\\nc\\n' |"
TIMINGS = {"filename": {"a": 1.0, "b": 9.0, "c": 1.0}, "classname": {"a": 9.0, "b": 1.0, "c": 1.0}}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    server = FakeServer()
    with agent_at_work(server, DockerExecutor(open_test_engine(), tmp_path / "work")) as agent:
        yield Bench(server, agent, tmp_path)


def test_tests_are_divided_by_the_times_of_their_kind(bench: Bench) -> None:
    split = f"{NAMES} circleci tests split --split-by=timings --total 2 --index 0"
    task = bench.run(split, f"{split} --timings-type classname", job=busybox_job(), timings=TIMINGS)
    assert bench.server.finish_of(task).status is TaskStatus.SUCCESS
    assert [bench.server.output_of(task, step=step) for step in (0, 1)] == [b"b\n", b"a\n"]


def test_only_tests_that_failed_run_again(bench: Bench) -> None:
    run = f"{NAMES} circleci tests run --command 'cat; echo ran' --total=2"
    task = bench.run(
        f"{run} --index=0",
        f"{run} --index=1 --verbose",
        "circleci run release plan --environment-name=prod",
        "circleci run oidc get || echo none",
        job=busybox_job(),
        timings=TIMINGS,
        failed={"filename": ["c"]},
    )
    outputs = [bench.server.output_of(task, step=step).decode() for step in range(4)]
    only = "Only the tests that failed before run again: 1 of 3\n"
    assert outputs[0] == f"{only}c\nran\n"
    assert outputs[1].startswith(only)
    assert outputs[1].endswith("No tests were assigned to this node\n")
    assert "goes unmarked: plan --environment-name=prod" in outputs[2]
    assert outputs[3].endswith("none\n")


@pytest.mark.parametrize(("user", "home"), [(None, "/root"), ("worker", "/home/worker")])
def test_keys_are_installed_in_the_images_home(bench: Bench, user: str | None, home: str) -> None:
    key = known_key(3, "git.example.com")
    name = f"id_rsa_{key.md5.replace(':', '')}"
    look = f"cd ~/.ssh && stat -c %a {name} config && cat config && head -1 {name}; ls $PENSTOCK_CONTROL"
    task = bench.run(AddSshKeys(name="keys"), look, job=busybox_job(user=user), keys=(key,))
    output = bench.server.output_of(task, step=1).decode()
    assert output.startswith("600\n600\nHost git.example.com\n  IdentitiesOnly yes\n")
    assert f'IdentityFile "{home}/.ssh/{name}"' in output
    assert "-----BEGIN OPENSSH PRIVATE KEY-----" in output
    assert "ssh_key_" not in output
