"""From a push to its build: announced by a signed webhook, made once, whatever happens in between."""

from pathlib import Path

from penstock.engine.summary import summarize_pipeline
from penstock.engine.unit import Parts
from penstock.model.summary import WorkflowSummary
from penstock.store import pipelines
from tests.support.processes import wait_until
from tests.support.pushing import SERVE, Origin, add_built_project, announce, sealer_of, tell_push
from tests.support.server import joined_parts, running_server

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


def test_an_announced_push_is_built_at_its_commit(tmp_path: Path) -> None:
    origin = Origin(tmp_path, CONFIG)
    with running_server(tmp_path / "data", *SERVE) as server, joined_parts(server.folder.root) as parts:
        project = add_built_project(parts, sealer_of(server), str(origin.bare))
        sha = origin.push("topic", files={"word": "pushed"})
        origin.push("topic", files={"word": "moved on"})
        answer = announce(server, project, tell_push(sha, "refs/heads/topic"))
        assert answer.status_code == 202, answer.text
        [promised] = answer.json()["pipelines"]
        assert promised == {"id": promised["id"], "branch": "topic", "revision": sha}
        assert await_end(parts, promised["id"]).status == "success", server.log()
