"""Schedules fire: each time once, whatever servers, clocks and git hosts do, and as somebody who may."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from penstock.engine.accounts import disable_user
from penstock.engine.describe import list_pipeline_values
from penstock.engine.firing import LATE
from penstock.engine.launch import CommitFacts, Fetch
from penstock.engine.organizations import change_organization_settings, remove_member
from penstock.engine.principal import SERVER
from penstock.engine.project_settings import change_project_settings
from penstock.engine.projects import delete_project
from penstock.engine.schedules import Edit, change_schedule, delete_schedule
from penstock.model.access import Role
from penstock.model.errors import ForbiddenError, UnavailableError
from penstock.model.project import Project
from penstock.model.run import Pipeline, TriggerType
from penstock.model.schedule import SYSTEM, next_firing
from penstock.model.status import PipelineStatus, WorkflowStatus
from penstock.model.timetable import Timetable, TimetableChange, Weekday
from penstock.store import pipelines, projects, rows, schedules
from penstock.store.schema import schedules as table
from tests.support.clocks import HandClock
from tests.support.firing import HOUR, PLAIN, Bell
from tests.support.invariants import check_all
from tests.support.people import sign_in
from tests.support.restricted import make_place
from tests.support.schedules import a_schedule

DAY = 24 * HOUR


@pytest.fixture
def bell(url: str, tmp_path: Path) -> Iterator[Bell]:
    """A server."""
    made = Bell(url, tmp_path)
    try:
        yield made
        check_all(made.parts, made.changes)
    finally:
        made.close()


@pytest.fixture
def pair(url: str, tmp_path: Path) -> Iterator[tuple[Bell, Bell]]:
    """Two servers on one database, with one clock."""
    first = Bell(url, tmp_path)
    second = Bell(url, tmp_path, clock=first.clock)
    try:
        yield first, second
        for each in (first, second):
            check_all(each.parts, each.changes)
    finally:
        first.close()
        second.close()


def test_a_schedule_fires_when_it_is_due_and_not_before(bell: Bell) -> None:
    made = bell.schedule(bell.add_project())
    assert made.next_at == next_firing(made, bell.clock.now())
    assert bell.ring() == []
    bell.wait_for(made, late=-0.001)
    assert bell.ring() == []
    bell.clock.advance(0.001)
    [pipeline] = bell.ring()
    after = bell.find(made)
    assert (after.fired_at, after.pipeline, after.outcome) == (made.next_at, pipeline.uuid, "")
    assert after.next_at == next_firing(made, bell.clock.now())
    assert bell.ring() == [pipeline]
    bell.wait_for(made)
    assert len(bell.ring()) == 2


def test_the_pipeline_says_what_made_it_and_has_its_arguments(bell: Bell) -> None:
    project = bell.add_project()
    ada = bell.add_member("ada")
    made = bell.schedule(project, ada, name="néw", parameters={"branch": "dev", "deep": True})
    bell.wait_for(made)
    [pipeline] = bell.ring()
    assert (pipeline.trigger, pipeline.actor) == (TriggerType.SCHEDULE, "ada")
    assert (pipeline.revision.branch, pipeline.parameters) == ("dev", {"deep": True})
    assert bell.status(pipeline) is WorkflowStatus.RUNNING
    with bell.parts.db.read() as tx:
        values = list_pipeline_values(tx, project, pipeline)
    assert values["pipeline.trigger_source"] == "scheduled_pipeline"
    assert (values["pipeline.schedule.name"], values["pipeline.schedule.id"]) == ("néw", made.uuid)
    worker = bell.agent()
    worker.work()
    assert bell.status(pipeline) is WorkflowStatus.SUCCESS


def test_only_branches_of_the_repository_itself_are_meant(bell: Bell) -> None:
    asked: list[str] = []
    obtain = bell.code.obtain

    def note(project: Project, fetch: Fetch) -> CommitFacts:
        asked.append(fetch.ref)
        return obtain(project, fetch)

    bell.code.obtain = note  # type: ignore[method-assign]  # to hear what is asked for
    made = bell.schedule(bell.add_project(), parameters={"branch": "pull/7/head"})
    bell.wait_for(made)
    bell.ring()
    assert asked == ["refs/heads/pull/7/head"]


def test_a_tag_is_built_and_a_config_can_ask_for_the_schedule(bell: Bell) -> None:
    asks = "when: {equal: [special, << pipeline.schedule.name >>]}, jobs: [build]"
    bell.code.configs["v1"] = bell.code.configs["v1"].replace("jobs: [build]", asks)
    project = bell.add_project()
    for name in ("special", "plain"):
        bell.schedule(project, name=name, parameters={"tag": "v1"}, system=True)
    bell.code.configs["v1"] = bell.code.configs["v1"].replace(
        "[build]", "[{build: {filters: {tags: {only: /.*/}}}}]"
    )
    bell.clock.advance(HOUR + 600)
    pipelines = bell.ring()
    assert {each.revision.tag for each in pipelines} == {"v1"}
    assert {each.actor for each in pipelines} == {SYSTEM}
    assert sorted(len(bell.workflows(each)) for each in pipelines) == [0, 1]


@pytest.mark.slow
def test_two_servers_fire_a_thousand_schedules_once_each(pair: tuple[Bell, Bell]) -> None:
    first, second = pair
    now = first.clock.now()
    for each in pair:
        each.code.configs["main"] = ""  # pipelines without a config are quickly made
    owners = [first.add_project(f"app-{number}") for number in range(20)]
    made = [
        a_schedule(owner.id, str(number), armed_at=now, next_at=now + 1000, actor=SYSTEM)
        for owner in owners
        for number in range(50)
    ]
    with first.parts.db.write() as tx:
        rows.insert_rows(tx, table, [rows.values_of(each) for each in made])
    first.clock.advance(1)
    start = threading.Barrier(4)

    def work(bell: Bell) -> None:
        start.wait(30)
        bell.fire()
        bell.deliver()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, (first, second, first, second)))
    first.ring()
    with first.parts.db.read() as tx:
        every = [each for owner in owners for each in schedules.list_schedules(tx, owner.id)]
        stored = pipelines.list_pipelines(tx, limit=2000)
    assert len({each.pipeline for each in every}) == 1000
    assert sorted(each.uuid for each in stored) == sorted(each.pipeline for each in every)


def test_a_restart_between_firing_and_making_loses_nothing(pair: tuple[Bell, Bell]) -> None:
    first, second = pair
    made = first.schedule(first.add_project())
    first.wait_for(made)
    first.fire()  # and the first server dies
    assert len(second.ring()) == 1
    assert len(first.ring()) == 1


def test_a_server_that_dies_while_it_fetches_leaves_the_work_to_another(pair: tuple[Bell, Bell]) -> None:
    first, second = pair
    made = first.schedule(first.add_project())
    first.wait_for(made)

    def die() -> None:
        raise KeyboardInterrupt

    first.code.before = die
    with pytest.raises(KeyboardInterrupt):
        first.ring()
    assert second.ring() == []
    first.clock.advance(121)
    [pipeline] = second.ring()
    assert second.find(made).pipeline == pipeline.uuid


@pytest.mark.parametrize(("away", "runs"), [(0.5, 1), (1.5, 1), (5, 1), (24 * 30, 1)])
def test_after_a_time_away_an_hourly_schedule_fires_once(bell: Bell, away: float, runs: int) -> None:
    made = bell.schedule(bell.add_project())
    bell.wait_for(made, late=away * HOUR)
    assert len(bell.ring()) == runs
    assert len(bell.ring()) == runs
    after = bell.find(made)
    assert after.fired_at is not None
    assert bell.clock.now() - LATE <= after.fired_at <= bell.clock.now()


def test_what_is_long_past_is_not_made_up_for_and_says_so(bell: Bell) -> None:
    nightly = Timetable(per_hour=1, hours=(0,), weekdays=tuple(Weekday))
    made = bell.schedule(bell.add_project(), timetable=nightly)
    bell.wait_for(made, late=HOUR + 1)
    assert bell.ring() == []
    after = bell.find(made)
    assert after.outcome == "missed: no server ran at that time"
    assert after.fired_at == made.next_at
    assert after.next_at == next_firing(made, bell.clock.now())
    bell.wait_for(made, late=HOUR - 1)
    assert len(bell.ring()) == 1


@pytest.mark.parametrize("step", [0.5, 50, 3000, DAY, 400 * DAY])
def test_a_clock_that_goes_back_makes_nothing_twice_and_stops_nothing(bell: Bell, step: float) -> None:
    made = bell.schedule(bell.add_project())
    bell.wait_for(made)
    assert len(bell.ring()) == 1
    bell.clock.advance(-step)
    for _ in range(30):
        bell.clock.advance(step / 30)
        bell.ring()
    seen = bell.every_pipeline()
    assert len({each.uuid for each in seen}) == len(seen)
    again = [each for each in seen if each.uuid == bell.find(made).pipeline]
    assert len(again) <= 1
    due = bell.find(made).next_at
    assert due is not None
    assert due - bell.clock.now() <= HOUR * 1000 + 600_000
    bell.clock.advance(HOUR)
    assert len(bell.ring()) > 1


def test_a_clock_that_was_ahead_by_a_year_does_not_stop_a_schedule(bell: Bell) -> None:
    project = bell.add_project()
    bell.clock.advance(365 * DAY)
    made = bell.schedule(project)
    bell.clock.advance(-365 * DAY)
    bell.ring()
    due = bell.find(made).next_at
    assert due == next_firing(made, bell.clock.now())
    bell.wait_for(made)
    assert len(bell.ring()) == 1


def test_a_schedule_that_was_changed_fires_as_it_is_now(bell: Bell) -> None:
    project = bell.add_project()
    one, other = (bell.schedule(project, name=name) for name in "ab")
    bell.clock.advance(2 * HOUR)
    bell.fire()
    delete_schedule(bell.parts, SERVER, one.uuid)
    change_schedule(bell.parts, SERVER, other.uuid, Edit(parameters={"branch": "dev"}))
    bell.deliver()
    [pipeline] = bell.every_pipeline()
    assert pipeline.revision.branch == "dev"


def test_what_is_due_stays_due_unless_the_timetable_changes(bell: Bell) -> None:
    made = bell.schedule(bell.add_project())
    bell.wait_for(made)
    edit = Edit(parameters={"branch": "dev"}, name="other")
    assert change_schedule(bell.parts, SERVER, made.uuid, edit).next_at == made.next_at
    assert bell.ring()[0].revision.branch == "dev"
    bell.wait_for(made)
    changed = change_schedule(bell.parts, SERVER, made.uuid, Edit(timetable=TimetableChange(per_hour=3)))
    assert changed.next_at == next_firing(changed, bell.clock.now())
    assert len(bell.ring()) == 1


def test_servers_whose_clocks_differ_fire_once(url: str, tmp_path: Path) -> None:
    ahead = Bell(url, tmp_path)
    behind = Bell(url, tmp_path, clock=HandClock(ahead.clock.now() - 150_000))
    try:
        made = ahead.schedule(ahead.add_project())
        for _ in range(4 * 60):
            for each in (ahead, behind):
                each.clock.advance(60)
                each.ring()
        seen = ahead.every_pipeline()
        assert 3 <= len(seen) <= 5
        assert len({each.created_at // 3_600_000 for each in seen}) == len(seen)
        assert ahead.find(made).pipeline == seen[0].uuid
    finally:
        ahead.close()
        behind.close()


def test_what_was_promised_hours_ago_is_not_made_any_more(bell: Bell) -> None:
    made = bell.schedule(bell.add_project())
    bell.wait_for(made)
    bell.fire()
    bell.clock.advance(2.1 * HOUR)
    bell.deliver()
    assert bell.every_pipeline() == []
    assert bell.find(made).outcome.startswith("missed")


def test_a_project_that_is_deleted_fires_no_more(bell: Bell) -> None:
    project = bell.add_project()
    made = bell.schedule(project)
    delete_project(bell.parts, SERVER, project)
    bell.wait_for(made)
    assert bell.ring() == []


def refuse_project(bell: Bell) -> None:
    with bell.parts.db.read() as tx:
        project = projects.find_project(tx, "gh/acme/app")
    assert project is not None
    change_project_settings(bell.parts, SERVER, project, {"block_new_work": True})


def refuse_organization(bell: Bell) -> None:
    with bell.parts.db.read() as tx:
        owner = projects.find_organization(tx, "gh/acme")
    assert owner is not None
    change_organization_settings(bell.parts, SERVER, owner, {"block_new_work": True})


def skip_commit(bell: Bell) -> None:
    bell.code.message = "wip [skip ci]"


@pytest.mark.parametrize(
    ("obstacle", "sentence"),
    [
        (refuse_project, "takes no new work"),
        (refuse_organization, "takes no new work"),
        (skip_commit, "says [skip ci]"),
    ],
)
def test_what_keeps_a_schedule_from_running_is_noted(
    bell: Bell, obstacle: Callable[[Bell], None], sentence: str
) -> None:
    made = bell.schedule(bell.add_project())
    obstacle(bell)
    bell.wait_for(made)
    assert bell.ring() == []
    assert sentence in bell.find(made).outcome


def test_who_lost_access_runs_nothing_and_the_schedule_says_why(bell: Bell) -> None:
    project = bell.add_project()
    for login, role in (("ada", Role.MEMBER), ("bob", Role.MEMBER), ("eve", Role.ADMIN)):
        bell.schedule(project, bell.add_member(login, role), name=login)
    with bell.parts.db.read() as tx:
        owner = projects.find_organization(tx, "gh/acme")
        every = {each.name: each for each in schedules.list_schedules(tx, project.id)}
    assert owner is not None
    ada, bob = (bell.person(login) for login in ("ada", "bob"))
    disable_user(bell.parts, SERVER, ada.uuid)
    remove_member(bell.parts, SERVER, owner, bob.uuid)
    bell.clock.advance(HOUR + 600)
    assert [each.actor for each in bell.ring()] == ["eve"]
    assert "whose account is disabled" in bell.find(every["ada"]).outcome
    assert "bob, who may not run pipelines" in bell.find(every["bob"]).outcome
    disable_user(bell.parts, SERVER, ada.uuid, disabled=False)
    bell.clock.advance(HOUR)
    assert {each.actor for each in bell.ring()} == {"eve", "ada"}


def test_a_restricted_context_judges_whom_a_schedule_runs_as(bell: Bell) -> None:
    place = make_place(bell)
    bell.code.configs["main"] = PLAIN.replace("jobs: [build]", "jobs: [{build: {context: prod}}]")
    people = [sign_in(bell.parts, place.join(login)) for login in ("ada", "bob")]
    place.restrict_to(place.group("deployers", "ada"))
    for number, by in enumerate((*people, people[0])):
        bell.schedule(place.project, by, name=str(number), system=number == len(people))
    bell.clock.advance(HOUR + 600)
    ended = {each.actor: bell.jobs(each) for each in bell.ring()[:3]}
    assert ended["ada"] == {"build": "queued"}
    assert ended["bob"] == ended[SYSTEM] == {"build": "unauthorized unauthorized"}


@pytest.mark.parametrize(
    ("parameters", "error", "sentence"),
    [
        ({"branch": "gone"}, None, "no branch or tag gone"),
        ({"branch": "main"}, ForbiddenError("the key of gh/acme/app is refused"), "is refused"),
        ({"branch": "main", "unknown": 1}, None, "Unexpected argument"),
        ({"branch": "main", "deep": "yes"}, None, "deep"),
    ],
)
def test_what_cannot_be_made_is_an_errored_pipeline(
    bell: Bell, parameters: dict[str, str | int | bool], error: Exception | None, sentence: str
) -> None:
    made = bell.schedule(bell.add_project(), parameters=parameters)
    bell.code.errors = [error] if error else []
    bell.wait_for(made)
    [pipeline] = bell.ring()
    assert pipeline.status is PipelineStatus.ERRORED
    assert sentence in pipeline.errors[0].message
    assert bell.find(made).pipeline == pipeline.uuid


def test_a_git_host_that_does_not_answer_is_asked_again_and_delays_no_other(bell: Bell) -> None:
    one = bell.schedule(bell.add_project(), name="a", system=True)
    other = bell.schedule(bell.add_project("other"), name="b", system=True)
    bell.clock.advance(HOUR + 600)
    bell.code.errors = [UnavailableError("no answer")]
    assert len(bell.ring()) == 1
    bell.clock.advance(2)
    assert len(bell.ring()) == 2
    assert {bell.find(each).outcome for each in (one, other)} == {""}


def test_firings_do_not_pile_up_behind_a_git_host_that_is_away(bell: Bell) -> None:
    often = Timetable(per_hour=60, hours=tuple(range(24)), weekdays=tuple(Weekday))
    bell.schedule(bell.add_project(), timetable=often)
    bell.code.errors = [UnavailableError("no answer") for _ in range(1000)]
    for _ in range(40):
        bell.clock.advance(60)
        assert bell.ring() == []
    bell.code.errors = []
    for _ in range(5):
        bell.clock.advance(120)
        bell.deliver()
    assert len(bell.every_pipeline()) == 1


def test_a_git_host_that_stays_away_ends_as_an_errored_pipeline(bell: Bell) -> None:
    nightly = Timetable(per_hour=1, hours=(0,), weekdays=tuple(Weekday))
    made = bell.schedule(bell.add_project(), timetable=nightly)
    bell.code.errors = [UnavailableError("no answer") for _ in range(1000)]
    bell.wait_for(made)
    bell.fire()
    for _ in range(30):
        bell.clock.advance(300)
        bell.deliver()
    [pipeline] = bell.every_pipeline()
    assert "no answer" in pipeline.errors[0].message


def test_a_scheduled_pipeline_cancels_none_and_is_canceled_by_none(bell: Bell) -> None:
    project = bell.add_project()
    change_project_settings(bell.parts, SERVER, project, {"autocancel_builds": True})
    made = bell.schedule(project, parameters={"branch": "dev"})

    def run() -> Pipeline:
        bell.wait_for(made)
        return bell.ring()[0]

    pushed = bell.launch(project, "dev")
    first, second = run(), run()
    assert {bell.status(each) for each in (pushed, first, second)} == {WorkflowStatus.RUNNING}
    newer = bell.launch(project, "dev")
    assert bell.status(pushed) is WorkflowStatus.CANCELED
    assert {bell.status(each) for each in (newer, first, second)} == {WorkflowStatus.RUNNING}


def test_an_idle_server_with_ten_thousand_schedules_asks_two_indexes(bell: Bell) -> None:
    project, now = bell.add_project(), bell.clock.now()
    with bell.parts.db.write() as tx:
        many = [
            a_schedule(project.id, str(number), armed_at=now, next_at=now + 10_000)
            for number in range(10_000)
        ]
        rows.insert_rows(tx, table, [rows.values_of(each) for each in many])
    with bell.parts.db.write() as tx:
        if not bell.parts.db.is_sqlite:
            tx.exec_driver_sql("ANALYZE schedules")
        explain = "EXPLAIN QUERY PLAN" if bell.parts.db.is_sqlite else "EXPLAIN"
        for column, index in (("min(next_at)", "schedules_due"), ("max(armed_at)", "schedules_armed")):
            plan = tx.exec_driver_sql(f"{explain} SELECT {column} FROM schedules").all()  # noqa: S608 - of two words here
            assert index in str(plan)
    assert bell.fire() == now + 10_000
