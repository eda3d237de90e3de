"""Killed writers, full disks, rivals and lost connections: what was committed stays, the rest is told."""

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text

from penstock.model.errors import UnavailableError
from penstock.store import pipelines, projects
from penstock.store.counters import CounterKind, next_number
from penstock.store.database import Database, Transaction
from penstock.store.failures import RolledBackError
from tests.support.databases import PostgresServer
from tests.support.disks import make_read_only, small_disk
from tests.support.records import add_organization, add_pipeline, add_project

ROOT = Path(__file__).parents[3]

WRITER = """
import sys, time
sys.path.insert(0, {root!r})
from penstock.store.database import Database
from tests.support.records import add_pipeline, add_project
database = Database.open({url!r})
with database.write() as tx:
    add_pipeline(tx)
with database.write() as tx:
    project = add_project(tx)
    for _ in range(500):
        add_pipeline(tx, project)
    add_project(tx, "gh/acme/unborn")
    print("inside", flush=True)
    sys.stdin.read()
"""


def test_a_writer_killed_in_mid_transaction_leaves_what_was_committed(url: str) -> None:
    code = WRITER.format(root=os.fspath(ROOT), url=url)
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "inside\n"
        writer.send_signal(signal.SIGKILL)
        assert writer.wait(10) == -signal.SIGKILL
    database = Database.open(url)
    with database.write() as tx:
        project = projects.find_project(tx, "gh/acme/app")
        assert project is not None
        assert [found.number for found in pipelines.list_pipelines(tx)] == [1]
        assert next_number(tx, project.id, CounterKind.PIPELINE) == 2
        assert projects.find_project(tx, "gh/acme/unborn") is None
        if database.is_sqlite:
            assert tx.execute(text("PRAGMA integrity_check")).scalar_one() == "ok"
    database.close()


def test_an_error_inside_rolls_everything_back(db: Database) -> None:
    def write_and_fail() -> None:
        with db.write() as tx:
            add_pipeline(tx)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_and_fail()
    with db.read() as tx:
        assert projects.list_projects(tx) == []


def test_readers_go_on_while_somebody_writes(db: Database) -> None:
    with db.write() as tx:
        add_organization(tx)
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(lambda: count_organizations(db)).result(10) == 0
    assert count_organizations(db) == 1


def count_organizations(db: Database) -> int:
    with db.read() as tx:
        return len(projects.list_organizations(tx))


def test_retry_runs_once_when_all_is_well_and_raises_what_is_no_rivalry(db: Database) -> None:
    calls: list[int] = []

    def work(_: Transaction) -> str:
        calls.append(1)
        return "done"

    def fail(_: Transaction) -> None:
        calls.append(1)
        raise UnavailableError("no")

    assert db.retry(work) == "done"
    with pytest.raises(UnavailableError, match="no"):
        db.retry(fail)
    assert len(calls) == 2


def test_retry_gives_up_after_so_many_attempts(db: Database) -> None:
    calls: list[int] = []

    def lose(_: Transaction) -> None:
        calls.append(1)
        raise RolledBackError("again")

    with pytest.raises(RolledBackError):
        db.retry(lose, attempts=3)
    assert len(calls) == 3


def test_a_write_inside_a_write_is_told_at_once(tmp_path: Path) -> None:
    database = Database.open(os.fspath(tmp_path / "x.db"))

    def nest() -> None:
        with database.write(), database.write():
            pass

    with pytest.raises(RuntimeError, match="open in this thread already"):
        nest()
    with database.write() as tx:
        add_project(tx)
    database.close()


def test_a_writer_waits_for_other_processes_only_so_long(tmp_path: Path) -> None:
    first = Database.open(os.fspath(tmp_path / "x.db"))
    second = Database.open(os.fspath(tmp_path / "x.db"), patience=0.05)  # as another process would

    def intrude() -> None:
        with second.write():
            pass

    with first.write(), pytest.raises(UnavailableError, match="locked by another process"):
        intrude()
    intrude()
    first.close()
    second.close()


def fill(database: Database) -> None:
    with database.write() as tx:
        project = add_project(tx)
        big = {"filler": os.urandom(1 << 20).hex()}
        while True:
            projects.save_settings(tx, project.id, big)
            project = add_project(tx, f"gh/acme/{project.id}")


def test_a_full_disk_is_told_and_what_was_committed_stays(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "12m") as disk:
        database = Database.open(os.fspath(disk / "x.db"))
        with database.write() as tx:
            add_project(tx, "gh/acme/kept")
        with pytest.raises(UnavailableError, match=r"disk .* is full"):
            fill(database)
        with database.write() as tx:
            assert [project.slug for project in projects.list_projects(tx)] == ["gh/acme/kept"]
            add_project(tx, "gh/acme/later")
        database.close()


def test_a_file_that_was_taken_away_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    db = Database.open(str(path))
    db.close()
    for file in tmp_path.iterdir():
        file.unlink()
    with pytest.raises(UnavailableError, match="taken away"), db.read() as tx:
        projects.list_organizations(tx)
    db.close()


def test_a_read_only_disk_is_told(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "12m") as disk:
        path = os.fspath(disk / "x.db")
        Database.open(path).close()
        make_read_only(disk)
        with pytest.raises(UnavailableError, match=r"cannot be (written|opened)"):
            Database.open(path)


def test_a_lost_connection_is_told_and_the_next_transaction_works(postgresql_db: Database) -> None:
    def lose_connection() -> None:
        with postgresql_db.write() as tx:
            tx.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with pytest.raises(UnavailableError):
        lose_connection()
    with postgresql_db.write() as tx:
        add_project(tx)


def test_connections_that_died_while_idle_go_unnoticed(
    postgresql: PostgresServer, postgresql_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("penstock.store.database.IDLE_SECONDS", -1.0)
    with postgresql_db.write() as tx:
        add_project(tx)
        name = str(tx.execute(text("SELECT current_database()")).scalar_one())
    postgresql.cut_connections(name)
    with postgresql_db.read() as tx:
        assert len(projects.list_projects(tx)) == 1


def test_a_deadlock_is_resolved_by_trying_again(postgresql_db: Database) -> None:
    with postgresql_db.write() as tx:
        pair = [add_pipeline(tx).id for _ in range(2)]
    meet = threading.Barrier(2)
    attempts: list[int] = []

    def lock_both(order: list[int]) -> None:
        def work(tx: Transaction) -> None:
            attempts.append(1)
            pipelines.lock_pipeline(tx, order[0])
            if len(attempts) <= 2:
                meet.wait(10)
            pipelines.lock_pipeline(tx, order[1])

        postgresql_db.retry(work)

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lock_both, [pair, pair[::-1]])) == [None, None]
    assert len(attempts) == 3


def test_what_a_rival_deletes_is_not_found_by_trying_again(postgresql_db: Database) -> None:
    with postgresql_db.write() as tx:
        project = add_project(tx)
    found: list[bool] = []

    def work(tx: Transaction) -> bool:
        found.append(projects.get_project(tx, project.id) is not None)
        if not found[-1]:
            return False
        with postgresql_db.write() as rival:
            rival.execute(text("DELETE FROM projects"))
        add_pipeline(tx, project)
        return True

    with ThreadPoolExecutor(1) as pool:
        assert not pool.submit(postgresql_db.retry, work).result()
    assert found == [True, False]


def test_a_postgresql_disk_or_login_problem_has_a_sentence(postgresql: PostgresServer) -> None:
    with pytest.raises(UnavailableError, match="does not exist"):
        Database.open(postgresql.url("nowhere"))
