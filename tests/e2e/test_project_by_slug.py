"""A project made by its slug alone is cloned from where the settings say its host is, and is built."""

from pathlib import Path

import httpx

from tests.support.clients import TOKEN
from tests.support.processes import wait_until
from tests.support.repositories import git, make_repository
from tests.support.server import begin_server, running_server

CONFIG = """\
version: 2.1
jobs: {build: {machine: true, steps: [checkout, {run: cat word}]}}
workflows: {main: {jobs: [build]}}
"""


def test_a_slug_is_all_it_takes(tmp_path: Path) -> None:
    source = make_repository(tmp_path / "source", {".circleci/config.yml": CONFIG, "word": "here"})
    (tmp_path / "git/acme").mkdir(parents=True)
    git(tmp_path, "clone", "--quiet", "--bare", str(source), "git/acme/app.git")
    settings = ("--git-protocols", "file", "--git-hosts", f"github={tmp_path}/git/", "--executor", "host")
    with (
        running_server(tmp_path / "data", *settings, environment={"PENSTOCK_ADMIN_TOKEN": TOKEN}) as server,
        httpx.Client(base_url=f"{server.url}/api/v2/", headers={"Circle-Token": TOKEN}, timeout=30) as client,
    ):
        assert client.post("project/gh/acme/none").status_code == 201  # nothing is fetched yet
        assert client.post("project/gh/acme/none/pipeline", json={}).status_code == 404
        assert client.post("project/gh/acme/app").json()["advanced"]["setup_workflows"] is True
        made = client.post("project/gh/acme/app/pipeline", json={})
        assert made.status_code == 201, made.text
        path = f"pipeline/{made.json()['id']}/workflow"

        def is_over() -> bool:
            [workflow] = client.get(path).json()["items"]
            return bool(workflow["status"] == "success")

        wait_until(is_over, seconds=60, what="the workflow passed")
        assert client.post("project/bb/acme/app").status_code == 403  # Bitbucket is not on this machine


def test_a_host_without_an_address_is_a_mistake_in_the_settings(tmp_path: Path) -> None:
    server = begin_server(tmp_path / "data", "--git-hosts", "gh")
    assert server.end() == 2
    assert "git_hosts: 'gh' is not like gh=https://git.example.com" in server.log()
    server.client.close()
