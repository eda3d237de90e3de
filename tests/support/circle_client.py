"""A live server asked over CircleCI's API, as a script would."""

from typing import Any

import httpx
import msgspec

from tests.support.processes import wait_until
from tests.support.server import ServerProcess

APP = "gh/acme/app"
DONE = {"success", "failed", "error", "canceled", "unauthorized", "not_run"}


class CircleClient(msgspec.Struct, frozen=True):
    """A server and the token to ask it with."""

    server: ServerProcess
    token: str

    def ask(self, method: str, path: str, body: object = None, status: int = 200) -> Any:  # noqa: ANN401 - whatever was answered
        """The answer of API v2, which has this status."""
        url = path if path.startswith("/") else f"/api/v2/{path}"
        content = None if body is None else msgspec.json.encode(body)
        headers = {"circle-token": self.token, "authorization": f"Bearer {self.token}"}
        reply: httpx.Response = self.server.client.request(
            method, self.server.url + url, content=content, headers=headers
        )
        assert reply.status_code == status, (method, path, reply.status_code, reply.text)
        return reply.json() if reply.content else None

    def run(self) -> str:
        """The workflow of a new pipeline, which has ended."""
        pipeline = self.ask("POST", f"project/{APP}/pipeline", {}, 201)
        [workflow] = self.ask("GET", f"pipeline/{pipeline['id']}/workflow")["items"]
        return self.await_end(workflow["id"])

    def rerun(self, workflow: str) -> str:
        """The workflow that repeats what did not pass of another, and has ended."""
        again = self.ask("POST", f"workflow/{workflow}/rerun", {"from_failed": True}, 202)
        return self.await_end(again["workflow_id"])

    def await_end(self, workflow: str) -> str:
        """The workflow, once it has ended."""
        wait_until(lambda: self.status(workflow) in DONE, seconds=60, what="the workflow ends")
        return workflow

    def status(self, workflow: str) -> str:
        """The status of a workflow."""
        return str(self.ask("GET", f"workflow/{workflow}")["status"])

    def job(self, workflow: str, name: str) -> dict[str, Any]:
        """A job of a workflow, with the messages about it."""
        jobs = self.ask("GET", f"workflow/{workflow}/job")["items"]
        [found] = [each for each in jobs if each["name"] == name]
        details: dict[str, Any] = self.ask("GET", f"jobs/{found['id']}")
        return details

    def output(self, job: str) -> str:
        """All that a job has printed."""
        news = self.ask("GET", f"/api/penstock/v1/jobs/{job}/output")
        return "".join(each["text"] for each in news["pieces"])
