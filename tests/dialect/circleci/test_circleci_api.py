"""circleci-api from npm, which knows only v1.1, tells the story of a build on a live server."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.clients import TOKEN, served_project

CLIENTS = Path(__file__).parent / "clients"
NODE = shutil.which("node")

pytestmark = pytest.mark.skipif(
    NODE is None or not (CLIENTS / "node_modules/circleci-api").exists(),
    reason="no clients from npm: `make test` installs them where npm is",
)


def test_a_build_is_triggered_watched_and_its_files_are_found(tmp_path: Path) -> None:
    with served_project(tmp_path) as server:
        done = subprocess.run(
            [str(NODE), str(CLIENTS / "circleci_api.js"), f"{server.url}/api/v1.1", TOKEN],
            capture_output=True,
            timeout=90,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        assert "internal error" not in server.log()
    told = json.loads(done.stdout)
    assert (told["me"], told["following"], told["projects"]) == ("admin", True, ["app"])
    assert told["steps"]["Make"] == told["steps"]["Checkout code"] == "success"
    assert told["artifacts"] == told["latest"] == ["kept/made.txt", "kept/report.xml"]
    assert told["tests"] == ["success", "failure"]
    assert (told["completed"], told["failed"]) == ([1], [])
    assert told["recent"] == [2]
    assert told["canceled"][0] in {"canceled", "success"}  # it may have been faster
