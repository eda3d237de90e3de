"""The command line against a live server, in a terminal."""

from pathlib import Path

import pexpect

from tests.support.command import command
from tests.support.developer import TOKEN, Developer, developer_at

CONFIG = """\
version: 2.1
jobs:
  build: {machine: true, steps: [{run: {name: Wait, command: until test -e MARK/go; do sleep 0.05; done}}]}
"""


def spawn(developer: Developer, *arguments: str) -> "pexpect.spawn[str]":
    name, *rest = command(*arguments)
    environment = developer.environment | {"TERM": "xterm-256color", "LANG": "C.UTF-8"}
    return pexpect.spawn(
        name,
        rest,
        cwd=str(developer.folder),
        env=environment,
        dimensions=(30, 100),
        timeout=30,
        encoding="utf-8",
    )


def test_a_person_logs_in_and_watches(tmp_path: Path) -> None:
    with developer_at(tmp_path, {".circleci/config.yml": CONFIG.replace("MARK", str(tmp_path))}) as developer:
        url = developer.server.url
        interrupted = spawn(developer, "login", url)
        interrupted.expect("Token for")
        interrupted.waitnoecho()
        interrupted.sendintr()
        interrupted.expect(pexpect.EOF)
        assert interrupted.wait() == 130
        assert interrupted.getecho()

        login = spawn(developer, "login", url)
        login.expect("Token for")
        login.waitnoecho()
        login.sendline(TOKEN)
        login.expect("Logged in to .* as admin")
        login.expect(pexpect.EOF)
        assert login.wait() == 0

        developer.succeed("project", "add")
        watching = spawn(developer, "trigger", "--watch")
        watching.expect("●[^ ]* build [^\n]*Wait")
        watching.sendintr()
        watching.expect(f"goes on; `penstock watch {'[0-9a-f-]{36}'}` shows it again")
        watching.expect(pexpect.EOF)
        assert watching.wait() == 130

        again = spawn(developer, "watch")
        again.expect("●[^ ]* build")
        (tmp_path / "go").touch()
        again.expect("✓[^ ]* build")
        again.expect("Pipeline 1: success")
        again.expect(pexpect.EOF)
        assert again.wait() == 0
