import os
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from penstock.agent.steps.credentials import describe_credentials, list_forms
from penstock.model.run import Revision
from penstock.model.status import StepStatus
from penstock.plan.step import Checkout
from penstock.wire.messages import Source, SourceCredentials
from tests.support.agents import Bench, host_bench
from tests.support.git_host import TOKEN, GitHost, serve_git
from tests.support.repositories import git, make_repository

CHECKOUT = Checkout(name="Checkout code")
SECRET_LINE = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ"
KEY = f"-----BEGIN OPENSSH PRIVATE KEY-----\n{SECRET_LINE}\n-----END OPENSSH PRIVATE KEY-----"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with host_bench(tmp_path / "work") as bench:
        yield bench


@pytest.fixture
def host(tmp_path: Path) -> Iterator[GitHost]:
    make_repository(tmp_path / "served/app", {"a.txt": "first\n"})
    with serve_git(tmp_path / "served") as served:
        served.private = True
        yield served


def source_at(tmp_path: Path, url: str, credentials: SourceCredentials | None) -> Source:
    sha = git(tmp_path / "served/app", "rev-parse", "HEAD")
    return Source(url=url, revision=Revision(sha=sha, branch="main"), origin=url, credentials=credentials)


def test_a_token_opens_a_private_repository_and_stays_nowhere(
    bench: Bench, host: GitHost, tmp_path: Path
) -> None:
    source = source_at(tmp_path, f"{host.address}/app/.git", SourceCredentials(token=TOKEN))
    task = bench.run(CHECKOUT, "cat a.txt; cat .git/config; env", source=source)
    assert [step.status for step in bench.server.steps_of(task)] == [StepStatus.SUCCESS] * 2
    printed = bench.server.output_of(task, step=1).decode()
    assert printed.startswith("first\n")
    assert TOKEN not in printed
    assert "extraHeader" not in printed
    assert list(list_forms(source))[2] not in printed


def test_without_the_token_the_repository_is_closed(bench: Bench, host: GitHost, tmp_path: Path) -> None:
    task = bench.run(CHECKOUT, source=source_at(tmp_path, f"{host.address}/app/.git", None))
    assert [step.status for step in bench.server.steps_of(task)] == [StepStatus.FAILED]


def test_a_token_that_is_printed_is_masked_in_all_its_forms(
    bench: Bench, host: GitHost, tmp_path: Path
) -> None:
    source = source_at(tmp_path, f"{host.address}/app/.git", SourceCredentials(token=TOKEN))
    forms = list(list_forms(source))
    task = bench.run(*(f"echo {form}" for form in forms), source=source)
    for number in range(len(forms)):
        assert bench.server.output_of(task, step=number).decode() == "****\n"


def test_a_token_is_not_carried_where_the_host_sends_it(bench: Bench, host: GitHost, tmp_path: Path) -> None:
    with serve_git(tmp_path / "served") as other:
        host.status, host.location = 302, other.address
        source = source_at(tmp_path, f"{host.address}/app/.git", SourceCredentials(token=TOKEN))
        task = bench.run(CHECKOUT, source=source)
        assert [step.status for step in bench.server.steps_of(task)] == [StepStatus.FAILED]
        assert other.headers == []


@pytest.mark.parametrize("known", ["", "git.example.com ssh-ed25519 AAAA"])
def test_a_key_is_a_file_only_while_git_asks(bench: Bench, tmp_path: Path, known: str) -> None:
    make_repository(tmp_path / "served/app", {"a.txt": "first\n"})
    tools = tmp_path / "tools"
    tools.mkdir()
    ssh = tools / "ssh"
    ssh.write_text(
        "#!/bin/sh\n"
        f'echo "$@" > {tmp_path}/call\n'
        'while [ "$1" != -i ]; do shift; done\n'
        f'echo "$2" > {tmp_path}/key-file; stat -c %a "$2" > {tmp_path}/mode; cp "$2" {tmp_path}/key\n'
        f'test ! -e "${{2%/key}}/hosts" || cp "${{2%/key}}/hosts" {tmp_path}/hosts\n'
        f"exec git-upload-pack {tmp_path}/served/app\n"
    )
    ssh.chmod(ssh.stat().st_mode | stat.S_IXUSR)
    source = source_at(
        tmp_path, "ssh://git@git.example.com/app", SourceCredentials(key=KEY, known_hosts=known)
    )
    environment = {"PATH": f"{tools}:{os.environ['PATH']}"}
    task = bench.run(CHECKOUT, "cat a.txt; env", source=source, environment=environment)
    printed = bench.server.output_of(task, step=1).decode()
    assert printed.startswith("first\n"), bench.server.output_of(task, step=0)
    assert SECRET_LINE not in printed
    assert (tmp_path / "key").read_text() == f"{KEY}\n"
    assert (tmp_path / "mode").read_text() == "600\n"
    assert not Path((tmp_path / "key-file").read_text().strip()).parent.exists()
    call = (tmp_path / "call").read_text()
    assert f"StrictHostKeyChecking={'yes' if known else 'accept-new'}" in call
    assert (tmp_path / "hosts").exists() == bool(known)


def test_settings_of_the_job_s_own_git_are_kept() -> None:
    source = Source(
        url="https://me@git.example.com:8443/app",
        revision=msgspec.convert({"sha": "1" * 40}, Revision),
        credentials=SourceCredentials(user="bot", token="secret-token"),
    )
    made = describe_credentials(source, {"GIT_CONFIG_COUNT": "2"}, "/control")
    assert made["GIT_CONFIG_COUNT"] == "5"
    assert made["GIT_CONFIG_KEY_4"] == "http.https://git.example.com:8443/.extraHeader"
    assert "GIT_CONFIG_KEY_1" not in made
