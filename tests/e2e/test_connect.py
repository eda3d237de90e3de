"""A repository is connected with nothing but the command line, and its first push is built."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from penstock.cli.exit import Exit
from tests.support import hooks
from tests.support.answers import Answer, serve_answers
from tests.support.command import command
from tests.support.processes import wait_until
from tests.support.pushing import SERVE, Origin, tell_push
from tests.support.server import ServerProcess, running_server

TOKEN = "t0ken-of-the-administrator"
CONFIG = """
version: 2.1
jobs: {build: {machine: true, steps: [checkout, {run: test "$(cat word)" = pushed}]}}
workflows: {main: {jobs: [build]}}
"""


class Keyboard:
    """Somebody who types commands."""

    def __init__(self, server: ServerProcess, folder: Path) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PENSTOCK_")}
        self.environment = kept | {
            "PENSTOCK_SERVER": server.url,
            "PENSTOCK_TOKEN": TOKEN,
            "HOME": str(folder),
        }
        self.folder = folder

    def type(self, *words: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
        """What came of the command."""
        return subprocess.run(
            command(*words),
            env=self.environment,
            cwd=self.folder,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )

    def ask(self, *words: str, stdin: str = "") -> dict[str, object]:
        """What the command printed as JSON; the test fails when it does."""
        done = self.type(*words, "--json", stdin=stdin)
        assert done.returncode == 0, done.stderr
        found: dict[str, object] = json.loads(done.stdout)
        return found


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    return Origin(tmp_path, CONFIG)


def test_a_repository_is_connected_in_three_commands(origin: Origin, tmp_path: Path) -> None:
    settings = {"PENSTOCK_ADMIN_TOKEN": TOKEN}
    with (
        serve_answers() as host,
        running_server(tmp_path / "data", *SERVE, environment=settings) as server,
    ):
        host.answer = Answer(201, {}, b"{}")
        somebody = Keyboard(server, tmp_path)
        made = somebody.ask("project", "add", str(origin.bare), "--organization", "gh/acme")
        hook = somebody.ask("project", "hook", "gh/acme/app", "--new")
        assert hook["url"] == f"{server.url}/hooks/{made['id']}"
        options = ("--host", "github", "--api", host.address, "--repository", "acme/app")
        shown = somebody.ask(
            "project", "statuses", str(made["id"]), "--token-file", "-", *options, stdin="tok\n"
        )
        assert shown == {"host": "github", "api": host.address, "repository": "acme/app"}
        sha = origin.push(files={"word": "pushed"})
        told = hooks.from_github("push", json.loads(tell_push(sha).body), str(hook["secret"]))
        answer = server.client.post(str(hook["url"]), content=told.body, headers=dict(told.headers))
        assert answer.status_code == 202, answer.text
        wait_until(
            lambda: any(b'"success"' in asked.body for asked in host.asked),
            seconds=60,
            what="the host is told",
        )
        assert host.asked[0].headers["authorization"] == "Bearer tok"
        link = json.loads(host.asked[-1].body)["target_url"]
        commands = [line.split() for line in server.client.get(link).text.splitlines() if line[:2] == "  "]
        assert [words[:2] for words in commands] == [["penstock", "watch"], ["penstock", "logs"]]
        typed = [somebody.type(*words[1:]) for words in commands]
        assert [done.returncode for done in typed] == [0, 0], [done.stderr for done in typed]
        assert sha[:7] in typed[1].stdout


def test_credentials_are_taken_from_files_and_never_shown(origin: Origin, tmp_path: Path) -> None:
    settings = {"PENSTOCK_ADMIN_TOKEN": TOKEN}
    with running_server(tmp_path / "data", *SERVE, environment=settings) as server:
        somebody = Keyboard(server, tmp_path)
        somebody.ask("project", "add", str(origin.bare), "--organization", "gh/acme")
        (tmp_path / "token").write_text("s3cret-token\n")
        done = somebody.type(
            "project", "credentials", "gh/acme/app", "--token-file", "token", "--user", "bot"
        )
        assert (done.returncode, "token" in done.stdout, "s3cret" in done.stdout) == (0, True, False)
        assert somebody.ask("project", "credentials", "gh/acme/app")["user"] == "bot"
        done = somebody.type("project", "credentials", "gh/acme/app", "--key-file", "token")
        assert (done.returncode, "no private SSH key" in done.stderr) == (Exit.USAGE, True)
        assert somebody.type("project", "credentials", "gh/acme/app", "--remove").returncode == 0
        assert somebody.ask("project", "credentials", "gh/acme/app")["token"] is False
        done = somebody.type("project", "statuses", "gh/acme/app", "--host", "gitlab")
        assert (done.returncode, "--token-file" in done.stderr) == (Exit.USAGE, True)


def test_repositories_of_this_machine_are_closed_unless_a_setting_opens_them(
    origin: Origin, tmp_path: Path
) -> None:
    settings = {"PENSTOCK_ADMIN_TOKEN": TOKEN}
    with running_server(tmp_path / "data", environment=settings) as server:
        somebody = Keyboard(server, tmp_path)
        for url in (str(origin.bare), f"file://{origin.bare}", "http://git.invalid/a/b"):
            done = somebody.type("project", "add", url)
            assert (done.returncode != 0, "not allowed here" in done.stderr) == (True, True), done.stderr
        for url in ("ext::sh -c id", "--upload-pack=id", "git://git.invalid/a/b", "../app.git"):
            assert somebody.type("project", "add", "--", url).returncode != 0
    narrow = ("--git-protocols", "file", "--git-folders", str(tmp_path / "other"))
    with running_server(tmp_path / "data2", *narrow, environment=settings) as server:
        somebody = Keyboard(server, tmp_path)
        done = somebody.type("project", "add", str(origin.bare))
        assert (done.returncode != 0, "below the folders" in done.stderr) == (True, True), done.stderr
