"""A key that a server made opens the repository it was authorized for, on a real host, and only that long."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.support.processes import wait_until
from tests.support.repositories import git, make_repository
from tests.support.server import ServerProcess, running_server
from tests.support.ssh_host import MISSING, SshHost, ssh_host

pytestmark = pytest.mark.skipif(bool(MISSING), reason=MISSING)

TOKEN = "a-token-for-keys"
APP = "project/gh/acme/app"
CONFIG = """\
version: 2.1
jobs:
  build:
    machine: true
    steps:
      - checkout
      - run: {name: read, command: "cat word; git remote get-url origin"}
      - run: {name: look, command: "env; ls -A ~/.ssh || true; find . -name '*key*'"}
workflows: {main: {jobs: [build]}}
"""


class Team:
    """What its people do with a server and a git host."""

    def __init__(self, server: ServerProcess, host: SshHost) -> None:
        self._client = httpx.Client(
            base_url=f"{server.url}/api/", headers={"Circle-Token": TOKEN}, timeout=60
        )
        self._bearer = {"Authorization": f"Bearer {TOKEN}"}
        made = self.own("POST", "projects", url=host.url, name="app", organization="gh/acme")
        self.own("PUT", f"projects/{made['id']}/credentials", known_hosts=host.known_hosts)

    def close(self) -> None:
        self._client.close()

    def own(self, method: str, path: str, **body: object) -> Any:  # noqa: ANN401 - whatever was answered
        reply = self._client.request(method, f"penstock/v1/{path}", json=body, headers=self._bearer)
        assert reply.is_success, reply.text
        return reply.json()

    def ask(self, method: str, path: str, body: object = None) -> httpx.Response:
        return self._client.request(method, f"v2/{path}", json=body)

    def get(self, path: str) -> Any:  # noqa: ANN401 - whatever was answered
        reply = self.ask("GET", path)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def make_key(self) -> dict[str, Any]:
        reply = self.ask("POST", f"{APP}/checkout-key", {"type": "deploy-key"})
        assert reply.status_code == 201, reply.text
        made: dict[str, Any] = reply.json()
        return made

    def delete_key(self, fingerprint: str) -> None:
        reply = self.ask("DELETE", f"{APP}/checkout-key/{quote(fingerprint, safe='')}")
        assert (reply.status_code, reply.json()) == (200, {"message": "ok"})

    def refused(self) -> str:
        reply = self.ask("POST", f"{APP}/pipeline", {})
        assert reply.status_code == 400, reply.text
        message: str = reply.json()["message"]
        return message

    def trigger(self) -> str:
        reply = self.ask("POST", f"{APP}/pipeline", {})
        assert reply.status_code == 201, reply.text
        [workflow] = self.get(f"pipeline/{reply.json()['id']}/workflow")["items"]
        identity: str = workflow["id"]
        return identity

    def await_end(self, workflow: str) -> str:
        seen: dict[str, str] = {}

        def is_over() -> bool:
            seen.update(self.get(f"workflow/{workflow}"))
            return seen["status"] not in {"running", "on_hold"}

        wait_until(is_over, seconds=60, what="the workflow is over")
        return seen["status"]

    def read(self, workflow: str) -> str:
        [job] = self.get(f"workflow/{workflow}/job")["items"]
        build = self._client.get(f"v1.1/{APP}/{job['job_number']}").json()
        steps = [action for step in build["steps"] for action in step["actions"]]
        outputs = [
            self._client.get(f"v1.1/{APP}/{job['job_number']}/output/{each['step']}/{each['index']}").json()
            for each in steps
        ]
        return "".join(piece["message"] for output in outputs for piece in output)


def test_a_checkout_key_opens_what_it_is_authorized_for(tmp_path: Path) -> None:
    source = make_repository(tmp_path / "source", {".circleci/config.yml": CONFIG, "word": "sesame\n"})
    git(tmp_path, "clone", "--quiet", "--bare", str(source), "app.git")
    settings = ("--git-protocols", "ssh", "--executor", "host")
    environment = {"PENSTOCK_ADMIN_TOKEN": TOKEN, "HOME": str(tmp_path)}
    with (
        ssh_host(tmp_path / "host", tmp_path / "app.git") as host,
        running_server(tmp_path / "data", *settings, environment=environment) as server,
    ):
        team = Team(server, host)
        assert "refuses the given credentials" in team.refused()
        key = team.make_key()
        assert "refuses the given credentials" in team.refused()
        host.authorize(key["public-key"])
        done = team.trigger()
        assert team.await_end(done) == "success", team.read(done)
        output = team.read(done)
        assert f"sesame\n{host.url}\n" in output
        assert "PRIVATE" not in output

        newer = team.make_key()
        assert [each["preferred"] for each in team.get(f"{APP}/checkout-key")["items"]] == [False, True]
        assert "refuses the given credentials" in team.refused()
        sha256 = team.get(f"{APP}/checkout-key?digest=sha256")["items"][1]["fingerprint"]
        team.delete_key(sha256)
        assert newer["fingerprint"] not in str(team.get(f"{APP}/checkout-key"))
        assert team.await_end(team.trigger()) == "success"

        team.delete_key(key["fingerprint"])
        assert "refuses the given credentials" in team.refused()
        again = team.ask("POST", f"workflow/{done}/rerun", {}).json()["workflow_id"]
        assert team.await_end(again) == "failed"
        assert "Permission denied" in team.read(again)
        assert host.log().count("Accepted publickey") >= 4
        team.close()
