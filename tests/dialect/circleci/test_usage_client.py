"""CircleCI's MCP server fetches a usage export and finds what is underused in it.

Its tool for the first refuses every server but CircleCI's cloud, so what is behind the tool is called.
"""

import os
import subprocess
import time
from pathlib import Path

import pytest

from penstock.model.usage import Used
from penstock.store import projects, usage
from tests.dialect.circleci.test_mcp_server import CLIENTS, NODE, PROGRAM, running_tools
from tests.support.clients import TOKEN, served_project
from tests.support.processes import wait_until
from tests.support.server import ServerProcess, joined_parts
from tests.support.usage_records import usage_run, usage_workflow

pytestmark = pytest.mark.skipif(
    NODE is None or not PROGRAM.exists(), reason="no clients from npm: `make test` installs them where npm is"
)

SCRIPT = """
import {{ getUsageApiData }} from '{module}';
const answer = await getUsageApiData({options});
if (answer.isError) throw new Error(JSON.stringify(answer));
console.log(answer.content.map((part) => part.text).join(''));
"""


def fetch(server: ServerProcess, options: str) -> str:
    """What the part of the MCP server that speaks of usage says."""
    module = CLIENTS / "node_modules/@circleci/mcp-server-circleci/dist/lib/usage-api/getUsageApiData.js"
    done = subprocess.run(
        [str(NODE), "--input-type=module", "-e", SCRIPT.format(module=module, options=options)],
        env={"PATH": os.environ["PATH"], "CIRCLECI_TOKEN": TOKEN, "CIRCLECI_BASE_URL": server.url},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def add_run(folder: Path) -> str:
    """A run that made little use of its class is in the database; the id of its organization."""
    now = int(time.time() * 1000)
    with joined_parts(folder) as parts, parts.db.write() as tx:
        owner = projects.find_organization(tx, "gh/acme")
        assert owner is not None
        mine = {"organization_id": owner.id, "queued_at": now}
        usage.note_workflow(tx, usage_workflow(**mine, started_at=now, project_name='app, "the one"'))
        times = {"started_at": now - 60_000, "stopped_at": now, "worked": 60_000}
        used = Used(500, 1000, 200, 300)
        usage.note_run(tx, usage_run(**mine, **times, name="idle", resource_class="xlarge", used=used))
        return owner.uuid


def test_a_client_of_the_vendor_reads_the_export(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with served_project(tmp_path) as server:
        owner = add_run(tmp_path / "data")
        day = 86_400
        start, end = (
            time.strftime("%Y-%m-%dT00:00:00Z", time.gmtime(time.time() + shift)) for shift in (-day, day)
        )
        common = f"orgId: '{owner}', outputDir: '{out}'"
        asked = fetch(server, f"{{{common}, startDate: '{start}', endDate: '{end}'}}")
        job = asked.rpartition("Job ID: ")[2].strip()
        told: list[str] = []

        def is_there() -> bool:
            told.append(fetch(server, f"{{{common}, jobId: '{job}'}}"))
            return "saved to" in told[-1]

        wait_until(is_there, seconds=30, what="the export is made", pause=1)
        file = told[-1].strip().partition("saved to: ")[2]
        with running_tools(server) as tools:
            report = tools.use("find_underused_resource_classes", csvFilePath=file)
        assert 'app, "the one"' in report
        assert "idle" in report
        assert "xlarge" in report
