"""A server looks after itself: what was deleted goes, what was left over goes, a full disk is told."""

import os
from contextlib import closing
from pathlib import Path

import msgspec

from penstock.engine.organizations import create_organization
from penstock.engine.principal import SERVER
from penstock.engine.projects import NewProject, create_project, delete_project
from penstock.engine.unit import Parts
from penstock.store import projects
from tests.support.disks import small_disk
from tests.support.load import OPERATOR, Client, add_bare_project
from tests.support.processes import wait_until
from tests.support.server import joined_parts, running_server

TOKEN = "chosen-by-the-operator"


def count_projects(parts: Parts) -> int:
    with parts.db.read() as tx:
        found: int = tx.exec_driver_sql("SELECT count(*) FROM projects").scalar_one()
        return found


def test_a_deleted_project_goes_with_its_blobs_and_a_killed_server_s_leftovers_go(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with joined_parts(data) as parts:
        acme = create_organization(parts, SERVER, host="gh", name="acme")
        made = create_project(parts, SERVER, acme, NewProject(name="app", url="https://example.com/app.git"))
        with parts.db.read() as tx:
            assert projects.project_by_uuid(tx, made.uuid) is not None
        delete_project(parts, SERVER, made)
        left = [data / "jobs/task-1/folder", data / "keys/tmp1"]
        for folder in left:
            folder.mkdir(parents=True)
            (folder / "file").write_text("secret")
        with running_server(data):
            wait_until(lambda: count_projects(parts) == 0, what="the project is gone")
            wait_until(lambda: not any(path.exists() for path in left), what="the leftovers are gone")


def test_figures_are_for_accounts_alone_when_the_operator_says_so(tmp_path: Path) -> None:
    variables = {"PENSTOCK_METRICS": "accounts", "PENSTOCK_ADMIN_TOKEN": TOKEN}
    with running_server(tmp_path / "data", environment=variables) as server:
        assert server.get("/metrics").status_code == 401
        assert server.get("/metrics", Authorization="Bearer wrong").status_code == 401
        assert "penstock_info" in server.get("/metrics", Authorization=f"Bearer {TOKEN}").text
        assert server.get("/healthz").status_code == 200


def test_one_id_leads_from_the_request_to_the_agent(tmp_path: Path) -> None:
    with joined_parts(tmp_path / "data") as parts:
        add_bare_project(parts, tmp_path, CONFIG)
    with (
        running_server(tmp_path / "data", "--log-format", "json", environment=OPERATOR) as server,
        closing(Client(server.url)) as client,
    ):
        client.http.headers["X-Request-Id"] = "asked-for-1"
        made = client.trigger().json()
        wait_until(lambda: "task ends" in server.log(), what="it ended")
        server.stop()
        lines = [msgspec.json.decode(line) for line in server.log().splitlines() if line.startswith("{")]
        mine = {line["msg"]: line for line in lines if line.get("request") == "asked-for-1"}
        assert {"request", "pipeline triggered", "task assigned", "task begins", "task ends"} <= mine.keys()
        assert mine["pipeline triggered"]["pipeline"] == mine["task assigned"]["pipeline"] == made["id"]
        assert mine["task assigned"]["task"] == mine["task ends"]["task"]
        assert mine["task ends"]["status"] == "success"


CONFIG = """
version: 2.1
parameters: {text: {type: string, default: ""}}
jobs: {a: {machine: true, steps: [run: 'true']}}
workflows: {w: {jobs: [a]}}
"""


def test_a_full_disk_is_told_and_outlived(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "90m") as disk:
        with joined_parts(disk / "data") as parts:
            add_bare_project(parts, tmp_path, CONFIG)
        with (
            running_server(disk / "data", "--slots", "0", environment=OPERATOR) as server,
            closing(Client(server.url)) as client,
        ):
            assert client.trigger().status_code == 201
            fill(disk)
            wait_until(lambda: server.get("/readyz").status_code == 503, what="it is not ready")
            assert "the disk of the data folder is full" in server.get("/readyz").json()["reasons"][-1]
            answers = [client.trigger(text="x" * 400) for _ in range(60)]
            assert {answer.status_code for answer in answers} <= {201, 503}
            assert answers[-1].status_code == 503
            assert "disk" in answers[-1].json()["message"]
            made = {answer.json()["id"] for answer in answers if answer.status_code == 201}
            assert len(client.list_pipelines().keys() - made) == 1
            assert server.get("/healthz").status_code == 200
            (disk / "filler").unlink()
            wait_until(lambda: server.get("/readyz").status_code == 200, what="it is ready again")
            assert client.trigger().status_code == 201
            assert len(client.list_pipelines()) == len(made) + 2
            assert "Traceback" not in server.log()
            assert server.stop() == 0


def fill(disk: Path) -> None:
    """Nothing more fits on the disk."""
    with (disk / "filler").open("wb") as filler:
        found = os.statvfs(disk)
        os.posix_fallocate(filler.fileno(), 0, found.f_bavail * found.f_frsize)


def test_a_server_leaves_when_a_newer_one_has_upgraded_its_database(tmp_path: Path) -> None:
    with running_server(tmp_path / "data", "--drain", "0") as server:
        with joined_parts(server.folder.root) as parts, parts.db.write() as tx:
            tx.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        assert server.end() == 2
        assert "a newer penstock has made schema 9999" in server.log()
        assert "Traceback" not in server.log()
