"""Rows of usage and of exports on both databases."""

import threading

import msgspec
import pytest
from sqlalchemy import text

from penstock.model.usage import Used
from penstock.store import outbox, projects, usage, usage_exports
from penstock.store.database import Database
from penstock.store.usage import UsageRun
from penstock.store.usage_exports import Export, ExportState, Part
from tests.support.records import NOW
from tests.support.usage_records import usage_run, usage_workflow

WORKFLOW, RUN = usage_workflow(), usage_run()
EXPORT = Export(
    id=0,
    uuid="e",
    organization_id=1,
    organizations=(1,),
    start_at=NOW,
    end_at=NOW + 1000,
    state=ExportState.CREATED,
    created_at=NOW,
)


@pytest.fixture
def owned(db: Database) -> Database:
    """A database with an organization, whose row id is 1."""
    with db.write() as tx:
        assert projects.ensure_organization(tx, "gh/acme", name="acme", now=NOW).id == 1
    return db


def add_runs(db: Database, *runs: UsageRun) -> None:
    with db.write() as tx:
        usage.note_workflow(tx, WORKFLOW)
        for run in runs:
            usage.note_run(tx, run)


def at(moment: int, name: str = "build") -> UsageRun:
    return msgspec.structs.replace(RUN, started_at=NOW + moment, stopped_at=NOW + moment, name=name)


def test_a_run_comes_back_with_what_belongs_to_its_workflow(owned: Database) -> None:
    used = Used(1, 2, 3, 4)
    add_runs(owned, msgspec.structs.replace(RUN, used=used))
    with owned.write() as tx:
        usage.end_workflow(tx, 7, status="failed", stopped_at=NOW + 90)
        [row] = usage.read_page(tx, 1, after=(0, 0), until=NOW + 1000, limit=10)
        ends, made = usage.last_ends(tx, 1), usage.organization_made(tx, 1)
    assert (row.job, row.workflow, row.project_slug, row.actor) == ("j", "w", "gh/acme/app", "ada")
    assert (row.cpu_median, row.cpu_max, row.ram_median, row.ram_max) == (1, 2, 3, 4)
    assert (row.workflow_status, row.workflow_stopped_at) == ("failed", NOW + 90)
    assert (ends, made) == ({"p": NOW + 90}, NOW)


def test_a_workflow_keeps_the_first_times_of_its_jobs(owned: Database) -> None:
    with owned.write() as tx:
        for queued, started in ((None, 50), (30, 40), (35, 20), (None, None)):
            seen = msgspec.structs.replace(WORKFLOW, queued_at=queued, started_at=started)
            usage.note_workflow(tx, seen)
        usage.note_run(tx, RUN)
        [row] = usage.read_page(tx, 1, after=(0, 0), until=NOW + 1000, limit=10)
    assert (row.workflow_queued_at, row.workflow_started_at) == (30, 20)


def test_pages_go_on_where_they_ended_also_among_runs_of_one_instant(owned: Database) -> None:
    add_runs(owned, *(at(moment, str(number)) for number, moment in enumerate([5, 5, 5, 9, 1, 20])))
    seen, after = [], (NOW + 2, 0)
    with owned.read() as tx:
        while page := usage.read_page(tx, 1, after=after, until=NOW + 9, limit=2):
            seen += [row.name for row in page]
            after = (page[-1].started_at, page[-1].id)
        assert usage.read_page(tx, 2, after=(0, 0), until=NOW + 99, limit=2) == []
    assert seen == ["0", "1", "2", "3"]


def test_totals_have_pages(owned: Database) -> None:
    other = msgspec.structs.replace(RUN, resource_class="acme/x", worked=5)
    add_runs(owned, RUN, RUN, other)
    with owned.read() as tx:
        first = usage.list_totals(tx, 1, span=(NOW, NOW + 99), limit=1)
        after = (first[0].project, first[0].executor, first[0].resource_class)
        rest = usage.list_totals(tx, 1, span=(NOW, NOW + 99), after=after)
        assert usage.list_totals(tx, 1, span=(NOW + 21, NOW + 99)) == []
    found = [(each.resource_class, each.runs, each.worked) for each in (*first, *rest)]
    assert found == [("acme/x", 1, 5), ("large", 2, 120)]


def test_old_runs_are_forgotten_with_their_workflows(owned: Database) -> None:
    add_runs(owned, at(1), at(2), at(50))
    with owned.write() as tx:
        usage.end_workflow(tx, 7, status="success", stopped_at=NOW + 60)
        assert usage.forget_usage(tx, NOW + 10, limit=1) == 1
        assert usage.forget_usage(tx, NOW + 10, limit=5) == 1
        [left] = usage.read_page(tx, 1, after=(0, 0), until=NOW + 99, limit=9)
        assert left.workflow == "w"
        assert usage.forget_usage(tx, NOW + 100) == 1
        assert usage.last_ends(tx, 1) == {}


def test_usage_of_an_organization_goes_in_pieces(owned: Database) -> None:
    add_runs(owned, at(1), at(2), at(3))
    with owned.write() as tx:
        assert [usage.forget_organization(tx, 1, limit=2) for _ in range(4)] == [2, 1, 1, 0]
        assert usage.read_page(tx, 1, after=(0, 0), until=1 << 60, limit=9) == []


def test_usage_goes_with_the_organization(owned: Database) -> None:
    add_runs(owned, RUN)
    with owned.write() as tx:
        usage_exports.add_export(tx, EXPORT)
        usage_exports.note_call(tx, 1, "GET", now=NOW)
        tx.execute(text("DELETE FROM organizations"))
        for table in ("usage_runs", "usage_workflows", "usage_exports", "usage_calls"):
            assert tx.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 0  # noqa: S608 - names of ours


def test_an_export_is_ended_by_the_attempt_that_makes_it(owned: Database) -> None:
    with owned.write() as tx:
        usage_exports.add_export(tx, EXPORT)
        first = usage_exports.begin_export(tx, "e", attempt=1)
        second = usage_exports.begin_export(tx, "e", attempt=2)
        assert first is not None
        assert second is not None
        assert (second.state, second.organizations) == (ExportState.PROCESSING, (1,))
        done = msgspec.structs.replace(
            second, state=ExportState.COMPLETED, parts=(Part(blob="b", size=3),), error="é\x00"
        )
        assert not usage_exports.end_export(tx, msgspec.structs.replace(done, attempt=first.attempt))
        assert usage_exports.end_export(tx, done)
        assert not usage_exports.end_export(tx, done)
        assert usage_exports.begin_export(tx, "e", attempt=3) is None
        assert usage_exports.begin_export(tx, "none", attempt=1) is None
        found = usage_exports.export_by_uuid(tx, "e")
    assert found is not None
    assert (found.state, found.parts, found.error) == (ExportState.COMPLETED, done.parts, "é\ufffd")


def test_exports_are_forgotten_by_age(owned: Database) -> None:
    with owned.write() as tx:
        usage_exports.add_export(tx, EXPORT)
        usage_exports.add_export(tx, msgspec.structs.replace(EXPORT, uuid="f", created_at=NOW + 1))
        usage_exports.forget_exports(tx, NOW + 1)
        assert usage_exports.known_exports(tx) == {"f"}


def test_calls_of_the_last_hour_are_counted_by_verb(owned: Database) -> None:
    with owned.write() as tx:
        for moment, verb in ((0, "GET"), (10, "GET"), (20, "POST"), (30, "GET")):
            usage_exports.note_call(tx, 1, verb, now=NOW + moment)
        assert usage_exports.list_calls(tx, 1, "GET", since=NOW) == [NOW + 10, NOW + 30]
        assert usage_exports.list_calls(tx, 1, "GET", since=0) == [NOW + 10, NOW + 30]  # forgotten
        assert usage_exports.list_calls(tx, 1, "POST", since=0) == [NOW + 20]


def test_a_letter_is_kept_by_its_last_taker_only(owned: Database) -> None:
    with owned.write() as tx:
        outbox.append_letter(tx, "k", "s", {}, now=NOW)
        [first] = outbox.take_due(tx, ["k"], NOW, lease_until=NOW + 10)
        [second] = outbox.take_due(tx, ["k"], NOW + 10, lease_until=NOW + 20)
        assert not outbox.keep_letter(tx, first, until=NOW + 99)
        assert outbox.keep_letter(tx, second, until=NOW + 99)
        assert outbox.next_due(tx, ["k"]) == NOW + 99
        outbox.finish_letter(tx, second)
        assert not outbox.keep_letter(tx, second, until=NOW + 100)


def test_rivals_note_one_workflow(owned: Database) -> None:
    barrier = threading.Barrier(4)

    def note() -> None:
        barrier.wait()
        with owned.write() as tx:
            usage.note_workflow(tx, WORKFLOW)

    threads = [threading.Thread(target=note) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    with owned.read() as tx:
        assert tx.execute(text("SELECT count(*) FROM usage_workflows")).scalar_one() == 1
