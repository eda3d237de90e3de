"""The command line against a live server, as somebody with a checkout uses it."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.cli.remote.watching import HELD_SECONDS
from tests.support.certificates import make_certificate
from tests.support.developer import TOKEN, Developer, developer_at
from tests.support.repositories import git
from tests.support.server import begin_server, running_server

CONFIG = """\
version: 2.1
parameters:
  word: {type: string, default: none}
  loud: {type: boolean, default: false}
jobs:
  build:
    machine: true
    parallelism: 2
    steps:
      - run: {name: Make, command: 'echo the word is << pipeline.parameters.word >>'}
      - run: mkdir out && echo made > "out/of $CIRCLE_NODE_INDEX.txt"
      - store_artifacts: {path: out}
  deploy:
    machine: true
    steps:
      - run:
          name: Deploy
          command: echo deploying; until test -e MARK/go; do sleep 0.05; done; test -e MARK/ok
workflows:
  main:
    jobs:
      - build
      - hold: {type: approval, requires: [build]}
      - deploy: {requires: [hold]}
"""


@pytest.fixture(scope="module")
def developer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Developer]:
    """Somebody who is logged in and has made a project of the checkout."""
    folder: Path = tmp_path_factory.mktemp("remote")
    (folder / "go").touch()
    (folder / "ok").touch()
    with developer_at(folder, {".circleci/config.yml": CONFIG.replace("MARK", str(folder))}) as made:
        made.login()
        made.succeed("project", "add")
        yield made


def test_a_whole_story(tmp_path: Path) -> None:
    files = {".circleci/config.yml": CONFIG.replace("MARK", str(tmp_path))}
    with developer_at(tmp_path, files) as developer:
        developer.login()
        assert developer.succeed("project", "add") == "local/app is made: penstock trigger local/app\n"
        assert developer.succeed("project", "list").split() == ["local/app", "main", str(developer.origin)]

        shown = developer.call("trigger", "--watch", "--until-hold", "-p", "word=hello")
        assert shown.status == 4, shown
        assert "✓ build: success" in shown.out
        assert "waits for approval: penstock approve hold --pipeline" in shown.err
        log = developer.succeed("logs", "-f", "build")
        assert log.count("the word is hello\n") == 2
        assert "==> build (1) / Make\n" in log

        assert developer.succeed("approve") == "hold of pipeline 1 is approved.\n"
        with developer.running("logs", "-f", "deploy") as following:
            assert following.stdout is not None
            assert following.stdout.readline() == "==> deploy / Deploy\n"
            assert following.stdout.readline() == "deploying\n"
            assert following.poll() is None
            (tmp_path / "go").touch()
            assert following.wait(30) == 0

        failed = developer.call("watch")
        assert (failed.status, "deploy: Deploy failed, exit 1" in failed.out) == (1, True), failed
        (tmp_path / "ok").touch()
        assert "Pipeline 1: success" in developer.succeed("rerun", "--from-failed", "--watch")

        out = tmp_path / "out"
        developer.succeed("artifacts", "build", "--download", str(out))
        assert (out / "1/out/of 1.txt").read_text() == "made\n"

        (tmp_path / "go").unlink()
        developer.succeed("trigger")
        developer.succeed("watch", "2", "--until-hold", status=4)
        developer.succeed("approve", "hold", "--pipeline", "2")
        assert developer.succeed("cancel", "2") == "Asked to stop: main.\n"
        assert "Pipeline 2: canceled" in developer.succeed("watch", "2", status=1)
        assert developer.succeed("cancel", "2") == "Nothing of pipeline 2 runs any more.\n"
        assert "internal error" not in developer.server.log()


def test_the_same_for_programs(developer: Developer) -> None:
    [project] = developer.json("project", "list")
    assert developer.json("project", "show") == [project]
    events = developer.json("trigger", "--watch", "--until-hold", "-p", "loud=true", status=4)
    number = next(event["number"] for event in events if event["type"] == "pipeline")
    assert {"type": "job", "name": "build", "status": "success"}.items() <= next(
        event for event in events if event["type"] == "job" and event["status"] == "success"
    ).items()
    assert (events[-1]["type"], events[-1]["outcome"]) == ("summary", "on_hold")
    output = developer.json("logs", "build", "--pipeline", str(number))
    assert "the word is none\n" in "".join(each["text"] for each in output if each["type"] == "output")
    assert output[-1]["type"] == "end"
    [approved] = developer.json("approve", "hold", "--pipeline", str(number))
    assert approved["name"] == "hold"
    assert developer.json("watch", str(number))[-1]["outcome"] == "success"
    kept = developer.json("artifacts", "build", "--pipeline", str(number))
    assert sorted(each["path"] for each in kept) == ["out/of 0.txt", "out/of 1.txt"]
    [again] = developer.json("rerun", str(number), "--job", "deploy")
    assert again["pipeline"] == approved["pipeline"]
    assert developer.json("watch", str(number))[-1]["outcome"] == "success"
    [made] = developer.json("trigger", "local%2Fapp", "--branch", "main")
    assert developer.json("cancel", made["id"])[0]["canceled"]
    assert developer.json("watch", made["id"], status=1)[-1]["outcome"] == "canceled"


def test_pipelines_are_listed(developer: Developer) -> None:
    [made] = developer.json("trigger")
    developer.succeed("cancel", made["id"])
    developer.succeed("watch", made["id"], status=1)
    [newest] = developer.json("runs", "--remote", "--limit", "1")
    assert (newest["id"], newest["outcome"], newest["branch"]) == (made["id"], "canceled", "main")
    assert developer.json("runs", "--project", "local%2Fapp", "--branch", "none") == []
    line = developer.succeed("runs", "--remote").splitlines()[0]
    assert line.startswith(f"■ {made['number']:>4} ")
    assert "main  admin  first" in line
    assert developer.call("runs", "--remote", "--everywhere").status == 2


def test_a_config_of_ones_own_is_used(developer: Developer) -> None:
    file = developer.folder / "other.yml"
    file.write_text("version: 2.1\njobs: {build: {machine: true, steps: [{run: echo other}]}}\n")
    assert "build: success" in developer.succeed("trigger", "--config", "other.yml", "--watch")
    file.write_text("version: 2.1\njobs: {build: {machine: true, steps: [chekout]}}\n")
    done = developer.call("trigger", "--config", "other.yml", "--watch")
    assert (done.status, "chekout" in done.out) == (2, True), done
    unwatched = developer.call("trigger", "--config", "other.yml")
    assert (unwatched.status, "chekout" in unwatched.err, unwatched.out) == (2, True, ""), unwatched


def test_arguments_are_of_the_types_the_config_says(developer: Developer) -> None:
    for value in ("5", "true", "a=b"):
        [made] = developer.json("trigger", "-p", f"word={value}", "-p", "loud=true")
        developer.succeed("cancel", made["id"])
    wrong = developer.call("trigger", "-p", "loud=5")
    assert (wrong.status, "expected type: boolean" in wrong.err) == (2, True), wrong


def test_what_was_not_pushed_is_not_built_and_that_is_said(developer: Developer) -> None:
    git(developer.folder, "commit", "--quiet", "--allow-empty", "--message=local")
    done = developer.call("trigger")
    git(developer.folder, "reset", "--quiet", "--hard", "HEAD~1")
    assert (done.status, "as the remote has it" in done.err) == (0, True), done
    developer.succeed("cancel")


def test_tokens_are_made_listed_and_revoked(developer: Developer) -> None:
    secret = developer.succeed("token", "create", "nightly", "--scope", "run", "--expires", "90d").strip()
    me = {"PENSTOCK_TOKEN": secret}
    assert developer.call("project", "list", environment=me).status == 0
    refused = developer.call("project", "add", "https://github.com/a/b", environment=me)
    assert (refused.status, "your token does not allow this" in refused.err) == (2, True), refused
    assert [each["label"] for each in developer.json("token", "list")][-1] == "nightly"
    assert secret not in developer.succeed("token", "list", "--json")
    developer.succeed("token", "revoke", "nightly")
    gone = developer.call("project", "list", environment=me)
    assert (gone.status, gone.err.count("\n")) == (2, 1), gone
    assert f"penstock login {developer.server.url}" in gone.err
    [limited] = developer.json("token", "create", "one", "--scope", "run", "--project", "local/app")
    assert limited["token"]["project"] == "local/app"
    me = {"PENSTOCK_TOKEN": limited["secret"]}
    assert developer.call("trigger", environment=me).status == 0
    assert developer.call("cancel", "--project", "local/app", environment=me).status == 0
    assert developer.call("token", "list", environment=me).status == 2


def test_projects_are_changed_and_removed(developer: Developer) -> None:
    developer.succeed("project", "add", "https://github.com/acme/web.git", "--default-branch", "trunk")
    shown = developer.succeed("project", "show", "gh/acme/web")
    assert "trunk" in shown
    developer.succeed("project", "set", "gh/acme/web", "autocancel_builds=true", "--name", "site")
    [changed] = developer.json("project", "show", "github/acme/site")
    assert changed["settings"] == {"autocancel_builds": True}
    [made] = developer.json("project", "hook", "gh/acme/site", "--new")
    assert made["url"] == f"{developer.server.url}/hooks/{changed['id']}"
    assert made["secret"] not in developer.succeed("project", "hook", "gh/acme/site")
    assert "--yes" in developer.call("project", "remove", "gh/acme/site").err
    developer.succeed("project", "remove", "gh/acme/site", "--yes")
    assert developer.call("project", "show", "gh/acme/site").status == 2


def test_agents_and_groups_are_listed(developer: Developer) -> None:
    secret = developer.succeed("agent-group", "create", "linux/large").strip()
    assert secret.startswith("psj_")
    assert "linux/large" in developer.succeed("agent-group", "list")
    assert developer.succeed("agent-group", "token", "linux/large", "spare").startswith("psj_")
    tokens = developer.json("agent-group", "token", "linux/large")
    assert [each["label"] for each in tokens] == ["first", "spare"]
    developer.succeed("agent-group", "token", "linux/large", "--revoke", tokens[0]["id"])
    developer.succeed("agent-group", "remove", "linux/large")
    [agent] = developer.json("agent", "list")
    assert (agent["busy"], agent["state"]) == (0, "online")
    developer.succeed("agent", "disable", agent["name"])
    assert developer.json("agent", "list")[0]["state"] == "draining"
    developer.succeed("agent", "enable", agent["name"])
    assert "online" in developer.succeed("agent", "list")


@pytest.mark.parametrize("arguments", [("watch",), ("logs", "-f", "deploy")])
def test_ctrl_c_ends_only_the_watching(developer: Developer, arguments: tuple[str, ...]) -> None:
    go = developer.folder.parent / "go"
    go.unlink()
    try:
        developer.succeed("trigger")
        developer.succeed("watch", "--until-hold", status=4)
        developer.succeed("approve")
        with developer.running(*arguments) as watching:
            assert watching.stdout is not None
            while "deploy" not in watching.stdout.readline():
                assert watching.poll() is None
            os.kill(watching.pid, signal.SIGINT)
            _, err = watching.communicate(timeout=20)
            assert (watching.returncode, "Traceback" in err) == (130, False), err
    finally:
        go.touch()
    assert "success" in developer.succeed("watch")


def test_what_is_not_there_is_said_with_a_way_out(developer: Developer, tmp_path: Path) -> None:
    assert developer.call("trigger").status == 0
    for arguments, part in {
        ("watch", "999"): "Pipeline not found",
        ("watch", "nonsense"): "is no pipeline",
        ("watch", "--project", "gh/acme/none"): "Project not found",
        ("logs", "none", "--pipeline", "latest"): "there are build",
        ("logs", "-f", "--run", "3"): "--pipeline",
        ("approve", "none"): "no approval",
        ("artifacts", "hold"): "keeps no files",
        ("rerun", "--job", "none"): "has no job 'none'",
        ("rerun", "--job", "build", "--from-failed"): "exclude each other",
        ("trigger", "--branch", "none"): "no such branch",
        ("trigger", "--branch", "a", "--tag", "b"): "exclude each other",
        ("trigger", "-p", "none=1"): "none",
        ("trigger", "--timeout", "soon", "--watch"): "--timeout",
        ("trigger", "--config", "missing.yml"): "missing.yml",
        ("token", "revoke", "none"): "there is no token 'none'",
        ("agent", "remove", "none"): "there is no agent 'none'",
        ("login", "ftp://x"): "not the address of a server",
    }.items():
        done = developer.call(*arguments)
        assert done.status in {2, 3}, (arguments, done)
        assert part in done.err, (arguments, done)
        assert (done.err.startswith("penstock: "), done.err.count("\n")) == (True, 1), (arguments, done)
    elsewhere = developer.call("trigger", cwd=tmp_path)
    assert "--project" in elsewhere.err


def test_a_login_is_kept_for_its_owner_alone_and_sent_nowhere_else(developer: Developer) -> None:
    file = developer.config_home / "penstock/login.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    other = developer.server.url.replace("127.0.0.1", "localhost")
    done = developer.call("project", "list", "--server", other)
    assert (done.status, "no token for" in done.err) == (2, True), done
    assert (
        developer.call("project", "list", "--server", other, environment={"PENSTOCK_TOKEN": TOKEN}).status
        == 0
    )
    wrong = developer.call("login", developer.server.url, "--token", "-", stdin="nonsense\n")
    assert (wrong.status, "does not know the token" in wrong.err) == (2, True), wrong
    assert TOKEN in file.read_text()
    assert developer.call("login", developer.server.url).status == 2
    developer.succeed("logout")
    assert TOKEN not in file.read_text()
    assert "penstock login" in developer.call("project", "list").err
    assert developer.call("logout").status == 2
    file.write_text("{damaged")
    assert "damaged" in developer.call("project", "list").err
    file.unlink()
    developer.login()


def test_a_certificate_is_trusted_only_when_somebody_says_so(tmp_path: Path) -> None:
    make_certificate(tmp_path)
    tls = ("--tls-cert", str(tmp_path / "cert.pem"), "--tls-key", str(tmp_path / "key.pem"))
    environment = {"PENSTOCK_ADMIN_TOKEN": TOKEN}
    with running_server(tmp_path / "data", *tls, environment=environment) as server:
        developer = Developer(tmp_path, server, {})
        url = server.url.replace("127.0.0.1", "localhost")
        wary = developer.call("login", url, "--token", "-", stdin=TOKEN)
        assert (wary.status, "SSL_CERT_FILE" in wary.err) == (3, True), wary
        trust = {"SSL_CERT_FILE": str(tmp_path / "cert.pem")}
        assert developer.call("login", url, "--token", "-", stdin=TOKEN, environment=trust).status == 0
        assert developer.call("project", "list", environment=trust).status == 0
        other = developer.call("login", server.url, "--token", "-", stdin=TOKEN, environment=trust)
        assert (other.status, "is not trusted" in other.err) == (3, True), other
        plain = developer.call("login", url.replace("https", "http"), "--token", "-", stdin=TOKEN)
        assert (plain.status, plain.err.count("\n")) == (3, 1), plain


def test_a_server_that_goes_away_is_waited_for(tmp_path: Path) -> None:
    files = {".circleci/config.yml": CONFIG.replace("MARK", str(tmp_path))}
    (tmp_path / "go").touch()
    (tmp_path / "ok").touch()
    with developer_at(tmp_path, files) as developer:
        developer.login()
        developer.succeed("project", "add")
        developer.succeed("trigger", "--watch", "--until-hold", status=4)
        with developer.running("watch", "--timeout", "30s") as watching:
            assert watching.stdout is not None
            assert watching.stdout.readline()
            port = developer.server.url.rpartition(":")[2]
            developer.server.kill()
            away = developer.call("project", "list")
            assert (away.status, "no server listens there" in away.err) == (3, True), away
            again = begin_server(
                tmp_path / "data", "--git-protocols", "file", "--executor", "host", "--port", port
            )
            try:
                again.await_start()
                developer.succeed("approve")
                out, err = watching.communicate(timeout=30)
                assert (watching.returncode, "trying again" in err) == (0, True), (out, err)
            finally:
                again.client.close()
                again.kill()


def test_a_server_stops_although_somebody_watches(developer: Developer) -> None:
    go = developer.folder.parent / "go"
    go.unlink()
    developer.succeed("trigger")
    with developer.running("watch") as watching:
        assert watching.stdout is not None
        assert watching.stdout.readline()
        begun = time.monotonic()
        assert developer.server.stop() == 0
        assert time.monotonic() - begun < HELD_SECONDS / 2
