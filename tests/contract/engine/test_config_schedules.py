"""Workflows whose config says when they start: known from pushes, started alone, gone with their branch."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from penstock.engine.access import Action
from penstock.engine.accounts import disable_user
from penstock.engine.config_schedules import MOST_SCHEDULES, UNKNOWN
from penstock.engine.describe import list_pipeline_values
from penstock.engine.principal import SERVER
from penstock.engine.schedules import Edit, change_schedule, delete_schedule, open_schedule
from penstock.kit.clock import to_datetime
from penstock.model.errors import NotFoundError, RefusedError
from penstock.model.project import Project
from penstock.model.run import TriggerType
from penstock.model.schedule import SYSTEM, Schedule
from penstock.model.status import PipelineStatus
from penstock.store import rows
from penstock.store.schema import schedules as table
from tests.support.firing import Bell
from tests.support.invariants import check_all
from tests.support.schedules import a_schedule

NIGHTLY = """\
version: 2.1
parameters: {deep: {type: boolean, default: false}}
jobs: {build: {machine: true, steps: [{run: make}]}, soak: {machine: true, steps: [{run: make soak}]}}
workflows:
  main: {jobs: [build]}
  nightly:
    triggers:
      - schedule: {cron: "30 3 * * *", filters: {branches: {only: [main, /release.*/]}}}
      - schedule: {cron: "0 12 * * 1-5", filters: {branches: {only: main}}}
    jobs: [soak]
"""
PLAIN = NIGHTLY.partition("  nightly")[0]
BROKEN = NIGHTLY.replace("jobs: [soak]", "jobs: [nothing]")


class Town(Bell):
    """A server with a project whose config asks for a schedule."""

    def __init__(self, url: str, folder: Path) -> None:
        super().__init__(url, folder)
        self.code.configs = dict.fromkeys(("main", "dev", "release-1"), NIGHTLY)
        self.project: Project = self.add_project()

    def push(self, branch: str = "main", **more: Any) -> list[Schedule]:  # noqa: ANN401 - of any field
        """The schedules there are after a push to the branch."""
        self.launch(self.project, branch, trigger=TriggerType.WEBHOOK, **more)
        return self.list_schedules(self.project)


@pytest.fixture
def town(url: str, tmp_path: Path) -> Iterator[Town]:
    made = Town(url, tmp_path)
    try:
        yield made
        check_all(made.parts, made.changes)
    finally:
        made.close()


def test_a_push_makes_a_schedule_known_and_does_not_run_its_workflow(town: Town) -> None:
    [made] = town.push()
    assert (made.branch, made.name, made.crons) == ("main", "nightly", ("30 3 * * *", "0 12 * * 1-5"))
    assert [each.key for each in town.workflows(town.every_pipeline()[0])] == ["main"]
    assert made.next_at is not None
    assert to_datetime(made.next_at).strftime("%H:%M") in {"03:30", "12:00"}


def test_the_workflow_starts_alone_at_its_times(town: Town) -> None:
    [made] = town.push()
    times = []
    for _ in range(12):
        town.wait_for(made)
        newest = town.ring()[0]
        assert [each.key for each in town.workflows(newest)] == ["nightly"]
        times.append(to_datetime(newest.created_at).strftime("%a %H:%M"))
    assert len(set(times)) == 12
    assert {"Sat 03:30", "Sun 03:30"} <= set(times)
    assert not {"Sat 12:00", "Sun 12:00"} & set(times)
    assert len(town.every_pipeline()) == 13


def test_its_pipeline_says_what_made_it(town: Town) -> None:
    [made] = town.push()
    town.wait_for(made)
    newest = town.ring()[0]
    assert (newest.trigger, newest.actor, newest.revision.branch) == (TriggerType.SCHEDULE, "ada", "main")
    with town.parts.db.read() as tx:
        values = list_pipeline_values(tx, town.project, newest)
    assert values["pipeline.trigger_source"] == values["pipeline.trigger.type"] == "schedule"
    [after] = town.list_schedules(town.project)
    assert (after.pipeline, after.outcome) == (newest.uuid, "")


def test_only_branches_that_are_named_have_schedules(town: Town) -> None:
    assert town.push("dev") == []
    assert [each.crons for each in town.push("release-1")] == [("30 3 * * *",)]
    assert [each.branch for each in town.push("main")] == ["release-1", "main"]


def test_the_newest_config_of_a_branch_counts(town: Town) -> None:
    [first] = town.push()
    town.code.configs["main"] = NIGHTLY.replace("30 3", "45 4")
    [second] = town.push(actor="bob")
    assert (second.uuid, second.actor) == (first.uuid, "bob")
    assert second.crons == ("45 4 * * *", "0 12 * * 1-5")
    town.code.configs["main"] = BROKEN
    assert town.push() == [second]
    town.code.configs["main"] = PLAIN
    assert town.push() == []


def test_a_push_that_changes_nothing_about_it_does_not_move_a_time_that_is_due(town: Town) -> None:
    [made] = town.push()
    town.wait_for(made)
    assert town.push(actor="bob")[0].next_at == made.next_at
    assert town.ring()[0].actor == "bob"


def test_a_pipeline_somebody_asks_for_counts_when_it_is_as_a_push_would_be(town: Town) -> None:
    town.launch(town.project, "main", parameters={"deep": True})
    town.launch(town.project, "main", source=NIGHTLY)
    assert town.list_schedules(town.project) == []
    town.launch(town.project, "main")
    assert len(town.list_schedules(town.project)) == 1


def test_a_schedule_goes_with_its_branch(town: Town) -> None:
    [made] = town.push("release-1")
    del town.code.configs["release-1"]
    town.wait_for(made)
    assert len(town.ring()) == 1
    assert town.list_schedules(town.project) == []


def test_a_repository_that_lets_nobody_in_for_a_while_loses_no_schedule(town: Town) -> None:
    [made] = town.push("release-1")
    town.wait_for(made)
    town.code.errors = [NotFoundError("no repository"), NotFoundError("no repository")]
    assert "no repository" in town.ring()[0].errors[0].message
    town.wait_for(made)
    assert town.ring()[0].errors == ()


def test_a_config_that_asks_no_more_is_heeded_though_nobody_told_of_the_push(town: Town) -> None:
    [made] = town.push()
    town.code.configs["main"] = PLAIN
    town.wait_for(made)
    assert len(town.ring()) == 1
    assert town.list_schedules(town.project) == []


def test_a_config_that_is_broken_by_then_is_an_errored_pipeline(town: Town) -> None:
    [made] = town.push()
    town.code.configs["main"] = BROKEN
    town.wait_for(made)
    assert town.ring()[0].status is PipelineStatus.ERRORED
    assert len(town.list_schedules(town.project)) == 1


def test_a_setup_config_has_no_schedules(town: Town) -> None:
    town.code.configs["main"] = NIGHTLY.replace("version: 2.1", "version: 2.1\nsetup: true")
    assert town.push() == []


def test_whoever_pushed_needs_no_account_but_a_disabled_one_ends_it(town: Town) -> None:
    [made] = town.push(actor="grace")
    town.wait_for(made)
    assert town.ring()[0].actor == "grace"
    town.add_member("grace")
    disable_user(town.parts, SERVER, town.person("grace").uuid)
    town.wait_for(made)
    assert len(town.ring()) == 2
    assert "whose account is disabled" in town.find(made).outcome


def test_it_is_changed_in_the_config_and_nowhere_else(town: Town) -> None:
    [made] = town.push()
    with pytest.raises(RefusedError, match="The config on main asks for this schedule"):
        delete_schedule(town.parts, SERVER, made.uuid)
    with pytest.raises(RefusedError, match="The config on main asks for this schedule"):
        change_schedule(town.parts, SERVER, made.uuid, Edit(name="x"))
    with pytest.raises(NotFoundError), town.parts.db.read() as tx:
        open_schedule(tx, SERVER, Action.SEE_PROJECT, made.uuid)


@pytest.mark.parametrize("name", ["", SYSTEM])
def test_nobody_pushes_as_the_system(town: Town, name: str) -> None:
    assert [each.actor for each in town.push(actor=name)] == [UNKNOWN]


def test_pushes_at_once_leave_one_schedule(town: Town) -> None:
    start = threading.Barrier(4)

    def push(_: int) -> None:
        start.wait(30)
        town.push()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(push, range(4)))
    assert len(town.list_schedules(town.project)) == 1
    assert len(town.every_pipeline()) == 4


def test_a_project_has_only_so_many(town: Town) -> None:
    many = [a_schedule(town.project.id, branch=f"b{number}") for number in range(MOST_SCHEDULES)]
    with town.parts.db.write() as tx:
        rows.insert_rows(tx, table, [rows.values_of(each) for each in many])
    assert len(town.push()) == 100  # a page
    assert "main" not in {each.branch for each in town.list_schedules(town.project)}


@pytest.mark.parametrize("name", ["a\\0b", "x" * 900, "é ✓", "\\u202e"])
def test_a_workflow_may_have_any_name(town: Town, name: str) -> None:
    town.code.configs["main"] = NIGHTLY.replace("  nightly:", f'  "{name}":')
    for _ in range(2):
        assert len(town.push()) == (1 if name == "é ✓" else 0)
    assert town.every_pipeline()[0].status is not PipelineStatus.ERRORED
