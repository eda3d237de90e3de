"""CircleCI's MCP server talks to a live server: it reads every answer strictly."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.clients import TOKEN, served_project
from tests.support.processes import wait_until
from tests.support.server import ServerProcess

CLIENTS = Path(__file__).parent / "clients"
PROGRAM = CLIENTS / "node_modules/@circleci/mcp-server-circleci/dist/index.js"
NODE = shutil.which("node")

pytestmark = pytest.mark.skipif(
    NODE is None or not PROGRAM.exists(), reason="no clients from npm: `make test` installs them where npm is"
)


class Tools:
    """The tools of a running MCP server."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._number = 0
        client = {"name": "tests", "version": "1"}
        self.ask("initialize", protocolVersion="2024-11-05", capabilities={}, clientInfo=client)
        self._write({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def ask(self, method: str, **params: object) -> Any:  # noqa: ANN401 - any JSON
        """The result of a call."""
        self._number += 1
        self._write({"jsonrpc": "2.0", "id": self._number, "method": method, "params": params})
        assert self._process.stdout is not None
        for line in self._process.stdout:
            answer = json.loads(line)
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]
        raise AssertionError("the MCP server has ended")

    def use(self, tool: str, **params: object) -> str:
        """What the tool says."""
        result = self.ask("tools/call", name=tool, arguments={"params": params})
        text = "".join(part["text"] for part in result["content"])
        assert not result.get("isError"), (tool, text)
        return text

    def _write(self, message: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()


@contextmanager
def running_tools(server: ServerProcess) -> Iterator[Tools]:
    """An MCP server for the server; it is gone afterwards."""
    environment = {
        "PATH": os.environ["PATH"],
        "CIRCLECI_TOKEN": TOKEN,
        "CIRCLECI_BASE_URL": server.url,
        "DISABLE_TELEMETRY": "true",
    }
    process = subprocess.Popen(
        [str(NODE), str(PROGRAM)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield Tools(process)
    finally:
        process.kill()
        process.communicate()


HERE = {"projectSlug": "gh/acme/app", "branch": "main"}
WRONG = "version: 2.1\njobs: {build: {machine: true, steps: [nope]}}"


class Watch:
    """What a person does beside the tools: look whether it is done, and approve."""

    def __init__(self, server: ServerProcess) -> None:
        self._client = server.client
        self._base = f"{server.url}/api/v2"

    def get(self, path: str) -> Any:  # noqa: ANN401 - any JSON
        """The answer to a GET."""
        return self._client.get(f"{self._base}/{path}", headers={"Circle-Token": TOKEN}).json()

    def post(self, path: str) -> None:
        """Send a POST."""
        self._client.post(f"{self._base}/{path}", headers={"Circle-Token": TOKEN}).raise_for_status()

    def workflow(self) -> Any:  # noqa: ANN401 - any JSON
        """The newest workflow of the newest pipeline."""
        pipeline = self.get("project/gh/acme/app/pipeline")["items"][0]
        return self.get(f"pipeline/{pipeline['id']}/workflow")["items"][0]

    def until(self, status: str) -> str:
        """The id of the newest workflow, once it is so."""
        wait_until(lambda: self.workflow()["status"] == status, seconds=60, what=f"it is {status}")
        return str(self.workflow()["id"])


def test_its_tools_find_their_way(tmp_path: Path) -> None:
    with served_project(tmp_path) as server, running_tools(server) as tools:
        watch = Watch(server)
        assert "command named nope" in tools.use("config_helper", configFile=WRONG)
        watch.post("../v1.1/project/gh/acme/app/follow")
        assert "gh/acme/app" in tools.use("list_followed_projects")
        assert "Pipeline run successfully" in tools.use("run_pipeline", **HERE)
        held = watch.until("on_hold")
        assert "on_hold" in tools.use("get_latest_pipeline_status", **HERE)
        tests = tools.use("get_job_test_results", **HERE)
        assert "Test name: fails" in tests
        assert "Run time: 0.25" in tests
        assert "kept/made.txt" in tools.use("list_artifacts", **HERE)
        [hold] = [job for job in watch.get(f"workflow/{held}/job")["items"] if job["type"] == "approval"]
        watch.post(f"workflow/{held}/approve/{hold['id']}")
        failed = watch.until("failed")
        logs = tools.use("get_build_failure_logs", **HERE)
        assert "deploying" in logs
        (tmp_path / "ready").touch()
        assert "workflow" in tools.use("rerun_workflow", workflowId=failed, fromFailed=True).lower()
        watch.until("success")
        inline = "version: 2.1\njobs: {build: {machine: true, steps: [{run: 'true'}]}}"
        assert "Pipeline run" in tools.use("run_pipeline", **HERE, configContent=inline)
        watch.until("success")
        assert "internal error" not in server.log()
