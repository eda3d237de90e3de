"""Pushes announced to several servers: whichever dies, each that was promised becomes one pipeline."""

from pathlib import Path

import pytest

from penstock.engine.summary import summarize_pipeline
from penstock.engine.unit import Parts
from penstock.store import pipelines
from penstock.store.sealing import Sealer, make_key, parse_keys
from tests.support.databases import PostgresServer
from tests.support.processes import wait_until
from tests.support.pushing import SERVE, Origin, add_built_project, announce, tell_push
from tests.support.server import joined_parts, running_server

pytestmark = pytest.mark.postgres

PUSHES = 16
CONFIG = """
version: 2.1
jobs: {build: {machine: true, steps: [checkout]}}
workflows: {main: {jobs: [build]}}
"""


def is_done(parts: Parts, uuid: str) -> bool:
    with parts.db.read() as tx:
        if pipelines.pipeline_by_uuid(tx, uuid) is None:
            return False
    return summarize_pipeline(parts, uuid).workflows[0].status.is_terminal


@pytest.mark.slow
def test_what_was_promised_is_built_once_though_a_server_dies(
    tmp_path: Path, postgresql: PostgresServer
) -> None:
    origin, key, url = Origin(tmp_path, CONFIG), make_key(), postgresql.new_database()
    shared = (*SERVE, "--database", url, "--blobs", str(tmp_path / "blobs"), "--agent-lease", "5")
    settings = {"PENSTOCK_KEY": key}
    with (
        running_server(tmp_path / "one", *shared, environment=settings) as one,
        running_server(tmp_path / "two", *shared, environment=settings) as two,
        joined_parts(tmp_path / "mine", url) as parts,
    ):
        project = add_built_project(parts, Sealer(parse_keys(key, "the test")), str(origin.bare))
        promised: dict[str, str] = {}
        for number in range(PUSHES):
            sha = origin.push(f"topic-{number}")
            server = two if number % 2 or one.process.poll() is not None else one
            answer = announce(server, project, tell_push(sha, f"refs/heads/topic-{number}"))
            assert answer.status_code == 202
            promised[answer.json()["pipelines"][0]["id"]] = sha
            if number == PUSHES // 2:
                one.kill()
        wait_until(lambda: all(is_done(parts, uuid) for uuid in promised), seconds=120, what="all are built")
        with parts.db.read() as tx:
            stored = pipelines.list_pipelines(tx, limit=1000)
        assert {each.uuid: each.revision.sha for each in stored} == promised
        statuses = {summarize_pipeline(parts, uuid).workflows[0].status for uuid in promised}
        assert statuses == {"success"}
