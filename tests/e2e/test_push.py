"""From a push to its build: announced by a signed webhook, made once, whatever happens in between."""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from penstock.engine.host_account import set_host_account
from penstock.engine.principal import SERVER
from penstock.engine.project_settings import set_credentials
from penstock.engine.summary import summarize_pipeline
from penstock.engine.unit import Parts
from penstock.model.credentials import CloneCredentials, HostAccount
from penstock.model.project import Project
from penstock.model.run import Pipeline
from penstock.model.summary import WorkflowSummary
from penstock.store import pipelines
from tests.support import hooks
from tests.support.answers import Answer, serve_answers
from tests.support.git_host import TOKEN as GIT_TOKEN
from tests.support.git_host import serve_git
from tests.support.keys import make_key
from tests.support.pages import ROOT, read_fences
from tests.support.processes import wait_until
from tests.support.pushing import SERVE, Origin, add_built_project, announce, sealer_of, tell_push
from tests.support.repositories import git, make_repository
from tests.support.server import ServerProcess, joined_parts, running_server

CONFIG = """
version: 2.1
jobs:
  build:
    machine: true
    steps: [checkout, {run: 'test "$(cat word)" = pushed && git rev-parse --abbrev-ref HEAD'}]
workflows: {main: {jobs: [build]}}
"""


def is_stored(parts: Parts, uuid: str) -> bool:
    with parts.db.read() as tx:
        return pipelines.pipeline_by_uuid(tx, uuid) is not None


def await_end(parts: Parts, uuid: str) -> WorkflowSummary:
    wait_until(lambda: is_stored(parts, uuid), seconds=60, what="the pipeline is there")
    wait_until(
        lambda: summarize_pipeline(parts, uuid).workflows[0].status.is_terminal,
        seconds=60,
        what="it has ended",
    )
    return summarize_pipeline(parts, uuid).workflows[0]


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    return Origin(tmp_path, CONFIG)


class Built(msgspec.Struct, frozen=True):
    """A server and a project of it."""

    server: ServerProcess
    parts: Parts
    project: Project

    def announce(self, message: hooks.Message) -> str:
        """The UUID of the one pipeline that is promised."""
        answer = announce(self.server, self.project, message)
        assert answer.status_code == 202, answer.text
        [promised] = answer.json()["pipelines"]
        return str(promised["id"])


@contextmanager
def serving(origin: Origin, url: str, **settings: object) -> Iterator[Built]:
    """A server with a project that is cloned from there."""
    with (
        running_server(origin.bare.parent / "data", *SERVE) as server,
        joined_parts(server.folder.root) as parts,
    ):
        project = add_built_project(parts, sealer_of(server), url, **settings)
        yield Built(server=server, parts=parts, project=project)


@pytest.mark.parametrize("form", ["{bare}", "file://{bare}", "{copy}", "{copy}/.git"])
def test_an_announced_push_is_built_at_its_commit(origin: Origin, form: str) -> None:
    with serving(origin, form.format(bare=origin.bare, copy=origin.copy)) as built:
        sha = origin.push("topic", files={"word": "pushed"})
        origin.push("topic", files={"word": "moved on"})
        uuid = built.announce(tell_push(sha, "refs/heads/topic"))
        assert await_end(built.parts, uuid).status == "success", built.server.log()
        log = built.server.log()
        asked = re.search(r"path=/hooks\S* .*request=(\w+)", log)
        assert asked is not None, log
        assert re.search(
            rf'msg="pipeline triggered" pipeline={uuid} .*request={asked[1]}$', log, re.MULTILINE
        )


def test_a_bare_repository_announces_its_pushes_by_the_hook_of_the_page(origin: Origin) -> None:
    [script] = [
        fence.text for fence in read_fences(ROOT / "docs/use/git.md") if fence.words[1:] == ("post-receive",)
    ]
    with serving(origin, str(origin.bare)) as built:
        address = f"{built.server.url}/hooks/{built.project.uuid}"
        script = script.replace("https://ci.example.com/hooks/PROJECT", address)
        hook = origin.bare / "hooks/post-receive"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(script.replace("SECRET", hooks.SECRET))
        hook.chmod(0o700)
        shas = [origin.push(branch, files={"word": "pushed"}) for branch in ("main", 'odd"name', "main")]
        git(origin.copy, "push", "--quiet", "origin", ':refs/heads/odd"name')
        wait_until(lambda: len(list_all(built.parts)) == len(shas), seconds=60, what="all are built")
        assert [each.revision.sha for each in list_all(built.parts)] == shas
        for each in list_all(built.parts):
            assert await_end(built.parts, each.uuid).status == "success", built.server.log()


def list_all(parts: Parts) -> list[Pipeline]:
    """All pipelines, oldest first."""
    with parts.db.read() as tx:
        return pipelines.list_pipelines(tx, limit=100)[::-1]


def test_a_fork_s_pull_request_is_built_from_its_ref(origin: Origin) -> None:
    with serve_git(origin.bare.parent) as host:
        url = f"{host.address}/app.git"
        with serving(origin, url, build_fork_prs=True) as built:
            sha = origin.push("theirs", files={"word": "pushed"})
            git(origin.copy, "push", "--quiet", "origin", f"{sha}:refs/pull/7/head", ":refs/heads/theirs")
            pull = hooks.github_pull(fork=True)
            pull["pull_request"]["head"]["sha"] = sha  # type: ignore[index]  # a body is nested
            uuid = built.announce(hooks.from_github("pull_request", pull))
            assert await_end(built.parts, uuid).status == "success", built.server.log()


def test_a_fork_on_a_host_without_refs_for_pull_requests_is_built_from_the_fork(origin: Origin) -> None:
    fork = make_repository(origin.copy.parent / "fork", {".circleci/config.yml": CONFIG, "word": "pushed"})
    git(fork, "branch", "mend")
    git(fork.parent, "clone", "--quiet", "--bare", str(fork), "fork.git")
    pull = hooks.from_bitbucket("pullrequest:created", hooks.bitbucket_pull(fork=True))
    with (
        serve_git(origin.bare.parent) as host,
        serving(origin, str(origin.bare), build_fork_prs=True) as built,
    ):
        body = json.loads(pull.body)
        source = body["pullrequest"]["source"]
        source["repository"]["links"]["html"]["href"] = f"{host.address}/fork"
        source["commit"]["hash"] = git(fork, "rev-parse", "HEAD")[:12]
        uuid = built.announce(hooks.from_bitbucket("pullrequest:created", body))
        assert await_end(built.parts, uuid).status == "success", built.server.log()
        [pipeline] = list_all(built.parts)
        assert pipeline.revision.sha == git(fork, "rev-parse", "HEAD")


def test_a_branch_that_was_deleted_meanwhile_is_built_all_the_same(origin: Origin) -> None:
    with serving(origin, str(origin.bare)) as built:
        sha = origin.push("short", files={"word": "pushed"})
        git(origin.copy, "push", "--quiet", "origin", ":refs/heads/short")
        uuid = built.announce(tell_push(sha, "refs/heads/short"))
        assert await_end(built.parts, uuid).status == "success", built.server.log()


def test_an_origin_that_hangs_holds_up_no_other_project(origin: Origin) -> None:
    with serve_git(origin.bare.parent) as host, serving(origin, f"{host.address}/app.git") as built:
        sealer = sealer_of(built.server)
        other = add_built_project(built.parts, sealer, str(origin.bare), "other")
        sha = origin.push(files={"word": "pushed"})
        host.gate.clear()
        late = built.announce(tell_push(sha))
        answer = announce(built.server, other, tell_push(sha))
        [soon] = answer.json()["pipelines"]
        assert await_end(built.parts, soon["id"]).status == "success", built.server.log()
        assert not is_stored(built.parts, late)
        host.gate.set()
        assert await_end(built.parts, late).status == "success", built.server.log()


@pytest.mark.slow
def test_a_push_survives_the_death_of_the_server_that_heard_it(origin: Origin) -> None:
    data = origin.bare.parent / "data"
    with serve_git(origin.bare.parent) as host:
        with serving(origin, f"{host.address}/app.git") as built:
            sha = origin.push(files={"word": "pushed"})
            host.gate.clear()
            host.asked.clear()
            uuid = built.announce(tell_push(sha))
            assert host.asked.wait(30), "it is being fetched"
            built.server.kill()
        host.gate.set()
        with running_server(data, *SERVE) as server, joined_parts(data) as parts:
            assert await_end(parts, uuid).status == "success", server.log()
            with parts.db.read() as tx:
                assert len(pipelines.list_pipelines(tx, limit=10)) == 1


def test_the_host_hears_how_a_job_goes(origin: Origin) -> None:
    with serve_answers() as host, serving(origin, str(origin.bare)) as built:
        host.answer = Answer(201, {}, b"{}")
        account = HostAccount(
            token="t0ken-of-the-host", host="github", api=host.address, repository="acme/app"
        )
        set_host_account(built.parts, sealer_of(built.server), SERVER, built.project, account)
        sha = origin.push(files={"word": "pushed"})
        built.announce(tell_push(sha))
        wait_until(
            lambda: any(b"success" in asked.body for asked in host.asked), seconds=60, what="it is told"
        )
        assert {asked.path for asked in host.asked} == {f"/repos/acme/app/statuses/{sha}"}
        last = json.loads(host.asked[-1].body)
        assert (last["state"], last["context"]) == ("success", "ci/circleci: build")
        assert last["target_url"].startswith(f"{built.server.url}/pipelines/github/acme/app/1/workflows/")


@pytest.mark.parametrize("theirs", [False, True])
def test_a_private_repository_is_opened_for_jobs_but_not_for_strangers_jobs(
    origin: Origin, *, theirs: bool
) -> None:
    with serve_git(origin.bare.parent) as host:
        host.private = True
        with serving(origin, f"{host.address}/app.git", build_fork_prs=True) as built:
            given = CloneCredentials(token=GIT_TOKEN)
            set_credentials(built.parts, sealer_of(built.server), SERVER, built.project, given)
            sha = origin.push(files={"word": "pushed"})
            git(origin.copy, "push", "--quiet", "origin", f"{sha}:refs/pull/7/head")
            pull = hooks.github_pull(fork=True)
            pull["pull_request"]["head"]["sha"] = sha  # type: ignore[index]  # a body is nested
            told = hooks.from_github("pull_request", pull) if theirs else tell_push(sha)
            uuid = built.announce(told)
            assert await_end(built.parts, uuid).status == ("failed" if theirs else "success")
        assert GIT_TOKEN not in built.server.log()


SSH = """#!/bin/sh
# Stands in for ssh and a host: knows who may come in by the key, and runs git there.
for word; do
  [ "$before" = -i ] && eval "key=$word"
  before=$word
done
echo "$*" >> {log}
if [ "$(cat "$key" 2>&1)" != "$(cat {key})" ]; then
  echo "git@host: Permission denied (publickey)." >&2
  exit 255
fi
eval "exec $before"
"""


@pytest.mark.parametrize("form", ["ssh://git@git.invalid{bare}", "git@git.invalid:{bare}"])
def test_a_deploy_key_opens_a_repository_over_ssh(origin: Origin, tmp_path: Path, form: str) -> None:
    key, ssh, log = tmp_path / "deploy-key", tmp_path / "bin/ssh", tmp_path / "ssh.log"
    key.write_bytes(make_key())
    ssh.parent.mkdir()
    ssh.write_text(SSH.format(log=log, key=key))
    ssh.chmod(0o700)
    search = {"PATH": f"{ssh.parent}:{os.environ['PATH']}"}
    with (
        running_server(tmp_path / "data", "--slots", "1", environment=search) as server,
        joined_parts(server.folder.root) as parts,
    ):
        sealer = sealer_of(server)
        project = add_built_project(parts, sealer, form.format(bare=origin.bare))
        built = Built(server=server, parts=parts, project=project)
        sha = origin.push(files={"word": "pushed"})
        refused = built.announce(tell_push(sha))
        wait_until(lambda: is_stored(parts, refused), seconds=60, what="the pipeline is there")
        [errored] = list_all(parts)
        assert "refuses the given credentials" in errored.errors[0].message
        given = CloneCredentials(private_key=key.read_text(), known_hosts="git.invalid ssh-ed25519 AAAA")
        set_credentials(parts, sealer, SERVER, project, given)
        uuid = built.announce(tell_push(sha, forced=True))
        assert await_end(parts, uuid).status == "success", server.log()
    calls = log.read_text().splitlines()
    assert len(calls) > 2
    assert all("StrictHostKeyChecking=yes" in call for call in calls)
    left = [
        file for file in (tmp_path / "data").rglob("*") if file.is_file() and b"PRIVATE" in file.read_bytes()
    ]
    assert left == []
