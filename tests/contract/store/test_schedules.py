"""Schedules: by name in their project, and taken by one server at a time when they are due."""

import threading

import msgspec
import pytest

from penstock.model.errors import ConflictError
from penstock.model.schedule import Schedule
from penstock.store import removal, schedules
from penstock.store.database import Database
from penstock.store.schedules import ScheduleChange
from tests.support.records import NOW, add_project
from tests.support.schedules import a_schedule

HOUR = 3_600_000


def test_a_schedule_comes_back_as_it_was_stored(db: Database) -> None:
    with db.write() as tx:
        project = add_project(tx)
        record = a_schedule(project.id, "näght\x00ly", parameters={"tag": "v1", "deep": True, "count": -3})
        made = schedules.add_schedule(tx, record)
        found = schedules.schedule_by_uuid(tx, record.uuid)
        assert found is not None
        assert found.parameters["deep"] is True
        assert (found.name, found.parameters["count"]) == ("näght\ufffdly", -3)
        assert schedules.lock_schedule(tx, made.id) == found
        assert schedules.find_schedule(tx, project.id, found.name) == found
        assert schedules.find_schedule(tx, project.id, found.name, branch="main") is None
        schedules.delete_schedule(tx, made.id)
        assert schedules.schedule_by_uuid(tx, record.uuid) is None


def test_a_name_is_taken_once_for_each_project_and_branch(db: Database) -> None:
    with db.write() as tx:
        one, other = add_project(tx), add_project(tx, "gh/acme/other")
        for record in (a_schedule(one.id), a_schedule(other.id), a_schedule(one.id, branch="main")):
            schedules.add_schedule(tx, record)
        assert schedules.count_schedules(tx, one.id) == 1
        assert schedules.count_schedules(tx, one.id, of_config=True) == 1
        assert [each.branch for each in schedules.list_every(tx, one.id)] == ["", "main"]
    with pytest.raises(ConflictError), db.write() as tx:
        schedules.add_schedule(tx, a_schedule(one.id))


def test_they_are_listed_oldest_first_in_pages(db: Database) -> None:
    with db.write() as tx:
        project = add_project(tx)
        for number in range(5):
            schedules.add_schedule(tx, a_schedule(project.id, f"{9 - number}"))
        first = schedules.list_schedules(tx, project.id, limit=2)
        assert [each.name for each in first] == ["9", "8"]
        rest = schedules.list_schedules(tx, project.id, after=first[-1].id)
        assert [each.name for each in rest] == ["7", "6", "5"]


def test_a_change_writes_only_what_is_set(db: Database) -> None:
    with db.write() as tx:
        made = schedules.add_schedule(tx, a_schedule(add_project(tx).id, description="x"))
        schedules.update_schedules(tx, [ScheduleChange(id=made.id, description=None, next_at=None)])
        assert schedules.lock_schedule(tx, made.id) == msgspec.structs.replace(
            made, description=None, next_at=None
        )


def test_the_longest_due_come_first_and_those_without_a_next_time_never(db: Database) -> None:
    with db.write() as tx:
        project = add_project(tx)
        assert schedules.next_due(tx) is None
        for number, due in enumerate((NOW + 5, NOW, None, NOW + 2 * HOUR)):
            schedules.add_schedule(tx, a_schedule(project.id, str(number), next_at=due))
        assert schedules.next_due(tx) == NOW
        assert [each.name for each in schedules.take_due(tx, NOW + HOUR, limit=5)] == ["1", "0"]
        assert [each.name for each in schedules.take_due(tx, NOW + HOUR, limit=1)] == ["1"]


def test_those_armed_in_the_future_are_found(db: Database) -> None:
    with db.write() as tx:
        project = add_project(tx)
        assert schedules.last_armed(tx) is None
        for number in range(3):
            schedules.add_schedule(tx, a_schedule(project.id, str(number), armed_at=NOW + number))
        assert schedules.last_armed(tx) == NOW + 2
        assert [each.name for each in schedules.take_ahead(tx, NOW, limit=9)] == ["1", "2"]


def test_an_outcome_is_noted_for_the_last_firing_only(db: Database) -> None:
    with db.write() as tx:
        made = schedules.add_schedule(tx, a_schedule(add_project(tx).id, fired_at=NOW))
        schedules.note_outcome(tx, made.uuid, NOW - 1, outcome="too old")
        assert schedules.lock_schedule(tx, made.id) == made
        schedules.note_outcome(tx, made.uuid, NOW, pipeline="p", outcome="")
        assert schedules.lock_schedule(tx, made.id) == msgspec.structs.replace(made, pipeline="p")


def test_schedules_go_with_their_project(db: Database) -> None:
    with db.write() as tx:
        project = add_project(tx)
        schedules.add_schedule(tx, a_schedule(project.id))
        removal.delete_project(tx, project.id)
        assert schedules.next_due(tx) is None


def test_what_a_server_has_taken_another_passes_over(postgresql_db: Database) -> None:
    with postgresql_db.write() as tx:
        project = add_project(tx)
        for number in range(4):
            schedules.add_schedule(tx, a_schedule(project.id, str(number), next_at=NOW))
    seen: list[Schedule] = []

    def take() -> None:
        with postgresql_db.write() as tx:
            seen.extend(schedules.take_due(tx, NOW, limit=9))

    with postgresql_db.write() as tx:
        mine = schedules.take_due(tx, NOW, limit=3)
        rival = threading.Thread(target=take)
        rival.start()
        rival.join(30)
    assert [each.name for each in (*mine, *seen)] == ["0", "1", "2", "3"]
