"""Schedules as their users meet them: made by command, started by real servers, run by a real agent."""

from pathlib import Path

import pytest

from penstock.engine.principal import SERVER
from penstock.engine.schedules import NewSchedule, create_schedule
from penstock.engine.summary import summarize_pipeline
from penstock.engine.unit import Parts
from penstock.model.run import TriggerType
from penstock.store import pipelines, schedules
from penstock.store.sealing import Sealer, make_key, parse_keys
from tests.support.databases import PostgresServer
from tests.support.developer import developer_at
from tests.support.processes import wait_until
from tests.support.pushing import SERVE, Origin, add_built_project, announce, sealer_of, tell_push
from tests.support.schedules import HOURLY, make_due
from tests.support.server import joined_parts, running_server

CONFIG = """\
version: 2.1
parameters:
  word: {type: string, default: none}
  n: {type: integer, default: 0}
  text: {type: string, default: ""}
jobs:
  build:
    machine: true
    steps:
      - checkout
      - run: |
          echo "I am << pipeline.schedule.name >> and say << pipeline.parameters.word >>"
          echo "made by << pipeline.trigger_source >>"
workflows:
  asked: {unless: << pipeline.schedule.id >>, jobs: [build]}
  nightly:
    when: {equal: [scheduled_pipeline, << pipeline.trigger_source >>]}
    jobs: [build]
"""


def test_a_schedule_is_made_runs_and_is_deleted(tmp_path: Path) -> None:
    with (
        developer_at(tmp_path, {".circleci/config.yml": CONFIG}) as ada,
        joined_parts(tmp_path / "data") as parts,
    ):
        ada.login()
        ada.succeed("project", "add")
        assert "--hours" in ada.call("schedule", "create", "x").err
        what = ("--branch", "main", "-p", "word=hi", "-p", "n=5", "-p", 'text="5"')
        made = ada.succeed("schedule", "create", "nightly", "--hours", "0-3,5", *what)
        assert "nightly (" in made
        assert "starts next at " in made
        [shown] = ada.json("schedule", "show", "nightly")
        assert shown["timetable"]["hours"] == [0, 1, 2, 3, 5]
        assert shown["actor"] == "admin"
        assert shown["parameters"] == {"branch": "main", "word": "hi", "n": 5, "text": "5"}
        times = [each["at"] for each in ada.json("schedule", "next", "nightly", "--count", "4")]
        assert times == sorted(times)
        assert times[:3] == shown["firings"]
        ada.succeed(
            "schedule", "update", "nightly", "--month-days", "1,15", "--hours", "2", "--description", "d"
        )
        text = ada.succeed("schedule", "show", shown["id"])
        assert "1 an hour, hours 2, on the 1,15. (UTC)" in text

        make_due(parts, shown["id"])

        def has_run() -> bool:
            return bool(ada.json("schedule", "list")[0]["pipeline"])

        wait_until(has_run, seconds=30, what="the schedule has run")
        pipeline = ada.json("schedule", "show", "nightly")[0]["pipeline"]
        ada.succeed("watch", pipeline)
        logs = ada.succeed("logs", "--pipeline", pipeline)
        assert "I am nightly and say hi" in logs
        assert "made by scheduled_pipeline" in logs
        assert "admin (schedule)" in ada.succeed("runs", "--server", ada.server.url)
        assert "is deleted" in ada.succeed("schedule", "delete", "nightly")
        missing = ada.call("schedule", "show", "nightly")
        assert (missing.status, "there is no schedule 'nightly'" in missing.err) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--hours", "24"), "hours-of-day must name hours from 0 to 23"),
        (("--hours", "x"), "--hours wants numbers like 1,5 or 8-17"),
        (("--hours", "3,22-2"), "--hours: 22-2 ends before it begins"),
        (("--hours", "1", "--days", "MOON"), "days-of-week"),
        (("--hours", "1", "--branch", "a", "--tag", "b"), "--branch and --tag exclude each other"),
        (("--hours", "1", "-p", "x=1"), "--parameter needs --branch or --tag"),
        (("--hours", "1", "--month-days", "31", "--months", "FEB"), "never fires"),
    ],
)
def test_a_mistake_is_one_sentence(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    with developer_at(tmp_path, {".circleci/config.yml": CONFIG}) as ada:
        ada.login()
        ada.succeed("project", "add")
        done = ada.call("schedule", "create", "x", *arguments)
        assert (done.status, done.out) == (2, "")
        assert said in done.err
        assert "Traceback" not in done.err


def is_done(parts: Parts, count: int) -> bool:
    with parts.db.read() as tx:
        every = pipelines.list_pipelines(tx, limit=1000)
    ended = [each for each in every if summarize_pipeline(parts, each.uuid).workflows[0].status.is_terminal]
    return len(ended) >= count


OLD = """\
version: 2.1
jobs: {build: {machine: true, steps: [checkout, {run: cat word}]}}
workflows:
  main: {jobs: [build]}
  nightly:
    triggers: [{schedule: {cron: "0 3 * * *", filters: {branches: {only: main}}}}]
    jobs: [build]
"""


def test_a_workflow_with_a_schedule_is_known_from_a_push_and_starts_by_itself(tmp_path: Path) -> None:
    origin = Origin(tmp_path, OLD)
    with running_server(tmp_path / "data", *SERVE) as server, joined_parts(tmp_path / "data") as parts:
        project = add_built_project(parts, sealer_of(server), str(origin.bare))
        assert announce(server, project, tell_push(origin.push())).status_code == 202
        wait_until(lambda: is_done(parts, 1), seconds=60, what="the push is built")
        with parts.db.read() as tx:
            [made] = schedules.list_every(tx, project.id)
        make_due(parts, made.uuid)
        wait_until(lambda: is_done(parts, 2), seconds=60, what="the schedule has run")
        with parts.db.read() as tx:
            newest, first = pipelines.list_pipelines(tx)
        ran = [summarize_pipeline(parts, each.uuid).workflows for each in (first, newest)]
        assert [[each.name for each in flows] for flows in ran] == [["main"], ["nightly"]]
        assert (newest.trigger, newest.actor) == (TriggerType.SCHEDULE, first.actor)


@pytest.mark.postgres
@pytest.mark.slow
def test_two_servers_start_each_schedule_once_though_one_dies(
    tmp_path: Path, postgresql: PostgresServer
) -> None:
    count = 12
    origin, key, url = Origin(tmp_path, CONFIG), make_key(), postgresql.new_database()
    shared = (*SERVE, "--database", url, "--blobs", str(tmp_path / "blobs"))
    settings = {"PENSTOCK_KEY": key}
    with (
        running_server(tmp_path / "one", *shared, environment=settings) as one,
        running_server(tmp_path / "two", *shared, environment=settings),
        joined_parts(tmp_path / "mine", url) as parts,
    ):
        project = add_built_project(parts, Sealer(parse_keys(key, "the test")), str(origin.bare))
        made = [
            create_schedule(
                parts,
                SERVER,
                project,
                NewSchedule(name=str(number), timetable=HOURLY, parameters={"branch": "main"}, system=True),
            )
            for number in range(count)
        ]
        for each in made[: count // 2]:
            make_due(parts, each.uuid)
        wait_until(lambda: is_done(parts, 1), seconds=60, what="one has run")
        one.kill()
        for each in made[count // 2 :]:
            make_due(parts, each.uuid)
        wait_until(lambda: is_done(parts, count), seconds=120, what="all have run")
        with parts.db.read() as tx:
            stored = pipelines.list_pipelines(tx, limit=1000)
        assert len(stored) == count
        assert {each.trigger for each in stored} == {TriggerType.SCHEDULE}
        statuses = {summarize_pipeline(parts, each.uuid).workflows[0].status for each in stored}
        assert statuses == {"success"}
