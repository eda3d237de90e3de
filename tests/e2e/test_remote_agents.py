"""A group of agents from its making to its end, by the command line: who is in it, and what they run."""

import subprocess
from pathlib import Path

from tests.support.command import command
from tests.support.developer import Developer, developer_at
from tests.support.processes import wait_until

CONFIG = """\
version: 2.1
jobs:
  build:
    machine: true
    resource_class: acme/large
    steps: [{run: until test -e MARK/go; do sleep 0.05; done}]
"""


def join(developer: Developer, token: str, folder: Path) -> "subprocess.Popen[bytes]":
    """An agent of the group that the token is for."""
    with (folder / "agent.log").open("wb") as log:
        return subprocess.Popen(
            command(
                "agent", "--server", developer.server.url, "--name", "box", "--work", str(folder / "work"),
                "--executor", "host",
            ),
            env=developer.environment | {"PENSTOCK_AGENT_TOKEN": token},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )  # fmt: skip


def test_a_group_is_made_joined_watched_and_removed(tmp_path: Path) -> None:
    with developer_at(tmp_path, {".circleci/config.yml": CONFIG.replace("MARK", str(tmp_path))}) as developer:
        developer.login()
        developer.succeed("project", "add")
        token = developer.succeed("agent-group", "create", "acme/large").strip()
        agent = join(developer, token, tmp_path)
        try:
            developer.succeed("trigger")

            def runs() -> bool:
                [found] = [each for each in developer.json("agent", "list") if each["group"]]
                return bool(found["jobs"]) and found["jobs"][0]["name"] == "build"

            wait_until(lambda: len(developer.json("agent", "list")) > 1, seconds=30, what="the agent joined")
            wait_until(runs, seconds=30, what="it runs the job")
            shown = developer.succeed("agent", "list")
            assert "box" in shown
            assert "acme/large" in shown
            assert "local/app#1 build" in shown
            developer.succeed("agent", "disable", "box")
            (tmp_path / "go").touch()
            assert "success" in developer.succeed("watch")

            developer.succeed("trigger")
            waiting = developer.json("watch", "--timeout", "1s", status=4)
            assert waiting[-1]["workflows"][0]["jobs"][0]["status"] == "queued"
            developer.succeed("agent", "enable", "box")
            assert "success" in developer.succeed("watch")
            [joined] = developer.json("agent-group", "token", "acme/large")
            assert joined["used_at"] is not None

            developer.succeed("agent-group", "remove", "acme/large")
            assert agent.wait(30) == 2
            assert [each["group"] for each in developer.json("agent", "list")] == [""]
        finally:
            agent.kill()
            agent.wait()
