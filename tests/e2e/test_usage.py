"""What jobs used, from the processes of real jobs on a real server to the command that shows it."""

import csv
import gzip
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.agent.executor.load import measure_machine
from penstock.store import usage
from penstock.store.database import Database
from penstock.store.usage import UsageRow
from tests.e2e.test_serve import await_end, config_of
from tests.support.agent_process import make_join_token, running_agent
from tests.support.developer import TOKEN, Developer, developer_at
from tests.support.server import joined_parts, running_server, trigger_config

CONFIG = """\
version: 2.1
jobs:
  burn:
    machine: true
    steps: [{run: "end=$(($(date +%s) + 4)); while [ $(date +%s) -lt $end ]; do :; done; times > MARK"}]
  hold_memory:
    machine: true
    resource_class: acme/own
    steps: [{run: python3 -c "import time; kept = b'x' * 100000000; time.sleep(3)"}]
  rest:
    machine: true
    parallelism: 2
    steps: [{run: sleep 2}]
  fail:
    machine: true
    steps: [{run: exit 1}]
workflows:
  main:
    jobs:
      - burn
      - hold_memory
      - hold: {type: approval}
      - rest: {requires: [burn, hold_memory]}
      - fail: {requires: [rest]}
"""


@pytest.fixture(scope="module")
def developer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Developer]:
    """Somebody whose pipeline has run, on a server that looks often and has prices of its own."""
    folder: Path = tmp_path_factory.mktemp("usage")
    more = (
        *("--usage-interval", "0.25", "--slots", "2"),
        *("--labels", "acme/own", "--credit-prices", "acme/own=60"),
    )
    config = CONFIG.replace("MARK", str(folder / "times"))
    with developer_at(folder, {".circleci/config.yml": config}, *more) as made:
        made.login()
        made.succeed("project", "add")
        assert made.call("trigger", "--watch", "--until-hold").status == 4
        made.succeed("approve")
        assert made.call("watch").status == 1
        yield made


def test_an_export_agrees_with_what_ran(developer: Developer) -> None:
    rows = {row["job_name"]: row for row in developer.json("usage", "export")}
    assert sorted(rows) == ["burn", "fail", "hold_memory", "rest"]  # and none for the approval
    assert {name: row["job_build_status"] for name, row in rows.items()} == {
        "burn": "success",
        "fail": "failed",
        "hold_memory": "success",
        "rest": "success",
    }
    for row in rows.values():
        assert row["is_workflow_successful"] == "false"
        assert (row["pipeline_number"], row["vcs_branch"], row["project_name"]) == ("1", "main", "app")
        listed = developer.json("runs", "--remote")
        assert row["pipeline_id"] in {each["id"] for each in listed}
    assert rows["rest"]["parallelism"] == "2"
    assert 2 <= int(rows["rest"]["job_run_seconds"]) < 60
    assert float(rows["hold_memory"]["total_credits"]) >= 3  # at one a second
    assert float(rows["burn"]["compute_credits"]) >= 0.5  # at ten a minute


def test_shares_are_near_what_jobs_did(developer: Developer) -> None:
    rows = {row["job_name"]: row for row in developer.json("usage", "export")}
    machine = measure_machine()
    burn, memory, rest = rows["burn"], rows["hold_memory"], rows["rest"]
    one = 100 / machine.processors
    burnt = read_times(developer.server.folder.root.parent / "times") / 5 * one  # it ran for 3 to 5 seconds
    most, median = float(burn["max_cpu_utilization_pct"]), float(burn["median_cpu_utilization_pct"])
    assert (
        burnt * 0.7 < most < one * 1.5
    )  # the most is no less than the mean, and one process is one processor
    assert 0 < median <= most
    held = 100 * 100_000_000 / machine.memory
    assert held <= float(memory["max_ram_utilization_pct"]) < held * 3
    assert float(rest["median_cpu_utilization_pct"]) < one * 0.2 + 1


def read_times(file: Path) -> float:
    """Seconds that a shell and those it waited for used, as its `times` tells."""
    words = re.findall(r"(\d+)m([\d.]+)s", file.read_text())
    return sum(int(minutes) * 60 + float(seconds) for minutes, seconds in words)


def test_files_are_joined_and_packed(developer: Developer, tmp_path: Path) -> None:
    printed = developer.succeed("usage", "export", "--organization", "local")
    rows = list(csv.DictReader(io.StringIO(printed)))
    assert len(rows) == 4
    plain, packed = tmp_path / "usage.csv", tmp_path / "usage.csv.gz"
    assert developer.succeed("usage", "export", "--output", str(plain)) == f"{plain}: 4 runs\n"
    [told] = developer.json("usage", "export", "--output", str(packed))
    assert (told["runs"], told["file"]) == (4, str(packed))
    assert plain.read_text() == gzip.decompress(packed.read_bytes()).decode() == printed
    assert sorted(path.name for path in tmp_path.iterdir()) == ["usage.csv", "usage.csv.gz"]


def test_an_export_can_be_fetched_later(developer: Developer) -> None:
    [asked] = developer.json("usage", "export", "--wait", "0s")
    assert asked["state"] == "created"
    rows = developer.json("usage", "export", "--export-id", asked["usage_export_job_id"])
    assert len(rows) == 4


def test_totals_are_by_project_and_class(developer: Developer) -> None:
    totals = developer.json("usage", "show")
    assert {(each["name"], each["resource_class"], each["runs"]) for each in totals} == {
        ("app", "", 3),
        ("app", "acme/own", 1),
    }
    assert "RESOURCE CLASS" in developer.succeed("usage", "show")
    assert developer.json("usage", "show", "--start", "2020-01-01", "--end", "2020-01-02") == []


def test_what_is_wrong_is_said(developer: Developer) -> None:
    assert "no time" in developer.call("usage", "export", "--start", "yesterday").err
    long_ago = developer.call("usage", "export", "--start", "2020-01-01", "--end", "2020-01-10")
    assert "one year" in long_ago.err
    assert "31 days" in developer.call("usage", "export", "--start", "2020-01-01").err
    assert developer.call("usage", "show", "--organization", "gh/none").status != 0
    assert "not a duration" in developer.call("usage", "export", "--wait", "soon").err
    asked = developer.call("usage", "export", "--output", "/no/such/folder/x.csv")
    assert asked.status == 3
    assert "/no/such/folder/x.csv" in asked.err


def test_an_address_works_without_a_token(developer: Developer) -> None:
    client, url = developer.server.client, developer.server.url
    owner = developer.json("organization", "show", "local")[0]["id"]
    head = {"circle-token": TOKEN}
    place = f"{url}/api/v2/organizations/{owner}/usage_export_job"
    [asked] = developer.json("usage", "export", "--wait", "0s")
    developer.json("usage", "export", "--export-id", asked["usage_export_job_id"])
    told = client.get(f"{place}/{asked['usage_export_job_id']}", headers=head).json()
    reply = client.get(told["download_urls"][0])
    assert reply.status_code == 200
    assert gzip.decompress(reply.content).startswith(b"ORGANIZATION_ID,")


def read_runs(db: Database) -> list[UsageRow]:
    with db.read() as tx:
        return usage.read_page(tx, 1, after=(0, 0), until=1 << 60, limit=100)


def test_agents_on_other_machines_tell_what_jobs_used(tmp_path: Path) -> None:
    look = ("--usage-interval", "0.2")
    with (
        running_server(tmp_path / "data", "--slots", "0") as server,
        joined_parts(server.folder.root) as parts,
        running_agent(tmp_path / "work", server.url, make_join_token(parts), *look),
    ):
        pipeline = trigger_config(parts, config_of("sleep 2"))
        assert await_end(parts, pipeline.uuid).status == "success"
        [run] = read_runs(parts.db)
    assert run.cpu_median is not None
    assert run.ram_max is not None


def test_an_agent_that_looks_at_nothing_tells_nothing(tmp_path: Path) -> None:
    with (
        running_server(tmp_path / "data", "--usage-interval", "0") as server,
        joined_parts(server.folder.root) as parts,
    ):
        pipeline = trigger_config(parts, config_of("sleep 1"))
        assert await_end(parts, pipeline.uuid).status == "success"
        [run] = read_runs(parts.db)
    assert (run.cpu_max, run.worked > 900) == (None, True)
