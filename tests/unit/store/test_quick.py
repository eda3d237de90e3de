"""A statement gives the same by SQLAlchemy, the first time, and as text; transactions end as they should."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Executable, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError, MultipleResultsFound, NoResultFound

from penstock.model.errors import ConflictError, UnavailableError
from penstock.store.database import Database
from penstock.store.quick import MOST_IDLE, QuickResult
from penstock.store.schema import outbox
from tests.support.statements import recorded

ROW = {"kind": "k", "subject": "s\x00t", "payload": {"a": [1, "ä"]}, "created_at": 1, "due_at": 2}


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    made = Database.open(f"sqlite:///{tmp_path / 'penstock.db'}")
    yield made
    made.close()


def count_rows(db: Database) -> int:
    with db.read() as tx:
        return len(tx.execute(select(outbox.c.id)).all())


def test_a_statement_gives_the_same_every_time(db: Database) -> None:
    put = insert(outbox).returning(outbox.c.id, outbox.c.payload)
    look = select(outbox.c.subject, outbox.c.payload, outbox.c.error).where(outbox.c.id == bindparam("row"))
    change = update(outbox).where(outbox.c.id == bindparam("row")).values(error=bindparam("why"), attempts=7)
    found = []
    for number in range(1, 5):
        with db.write() as tx:
            row_id, payload = tx.execute(put, ROW).one()
            assert (row_id, payload) == (number, ROW["payload"])
            assert tx.execute(change, {"row": row_id, "why": "w\x00"}).rowcount == 1
        with db.read() as tx:
            found.append(tuple(tx.execute(look, {"row": number}).one()))
            assert tx.execute(look, {"row": 99}).first() is None
            assert list(tx.execute(look.limit(1), {"row": number}).scalars()) == [found[-1][0]]
    assert found == [("s�t", ROW["payload"], "w�")] * 4


def test_a_statement_is_kept_for_each_set_of_parameters(db: Database) -> None:
    put = insert(outbox)
    sets = [ROW, ROW | {"error": "e"}, ROW, ROW | {"error": "f"}, ROW | {"attempts": 3, "error": "g"}]
    with db.write() as tx:
        for values in sets:
            tx.execute(put, values)
        tx.execute(put, [ROW | {"error": "h"}, ROW | {"error": "i"}])
        tx.execute(put, [ROW | {"error": "j"}])
    with db.read() as tx:
        errors = tx.execute(select(outbox.c.error).order_by(outbox.c.id)).scalars()
        assert list(errors) == ["", "e", "", "f", "g", "h", "i", "j"]


def test_a_list_of_values_may_have_another_length_each_time(db: Database) -> None:
    some = select(outbox.c.id).where(outbox.c.id.in_(bindparam("ids", expanding=True))).order_by(outbox.c.id)
    with db.write() as tx:
        tx.execute(insert(outbox), [ROW] * 4)
        for ids in ([1], [1, 2], [], [4, 3, 2], [1]):
            assert list(tx.execute(some, {"ids": ids}).scalars()) == sorted(ids)


def put_and_fail(db: Database, statement: Executable) -> None:
    with db.write() as tx:
        tx.execute(statement, ROW)
        raise ZeroDivisionError


def test_what_an_exception_leaves_is_rolled_back(db: Database) -> None:
    put = insert(outbox)
    for _ in range(3):  # by SQLAlchemy, then as text
        with pytest.raises(ZeroDivisionError):
            put_and_fail(db, put)
    with db.write() as tx:
        tx.execute(put, ROW)
        tx.rollback()
    assert count_rows(db) == 0


def put_twice(db: Database, statement: Executable) -> None:
    with db.write() as tx:
        tx.execute(statement, ROW | {"id": 7})
        tx.execute(statement, ROW | {"id": 7})


def test_a_driver_s_complaint_is_told_alike(db: Database) -> None:
    put = insert(outbox)
    for _ in range(3):
        with pytest.raises(ConflictError):
            put_twice(db, put)
    assert count_rows(db) == 0


def break_commit(db: Database) -> None:
    with db.write() as tx:
        tx.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        tx.exec_driver_sql(
            "INSERT INTO memberships (user_id, organization_id, role, created_at) VALUES (9, 9, 'owner', 0)"
        )


def test_a_connection_is_good_again_after_a_commit_that_failed(db: Database) -> None:
    put = insert(outbox)
    for _ in range(3):
        with pytest.raises(IntegrityError):
            break_commit(db)
        with db.write() as tx:
            tx.execute(put, ROW)
    assert count_rows(db) == 3


def read_from_broken(db: Database) -> None:
    with db.read() as tx:
        tx.connection.driver_connection.close()  # type: ignore[union-attr]  # it has one
        tx.exec_driver_sql("SELECT 1")


def test_a_connection_that_broke_is_not_lent_again(db: Database) -> None:
    with pytest.raises(UnavailableError):
        read_from_broken(db)
    db.ping()
    assert count_rows(db) == 0


def test_many_readers_at_once_get_a_connection_each(db: Database) -> None:
    def nest(depth: int) -> int:
        with db.read() as tx:
            tx.exec_driver_sql("SELECT 1")
            return nest(depth - 1) if depth else count_rows(db)

    assert nest(2 * MOST_IDLE) == 0


def test_the_version_is_another_after_every_commit(db: Database, tmp_path: Path) -> None:
    seen = [db.version(), db.version()]
    assert seen[0] == seen[1]
    with db.write() as tx:
        tx.execute(delete(outbox))
        tx.execute(insert(outbox), ROW)
    seen.append(db.version())
    count_rows(db)
    assert seen[-1] == db.version() != seen[0]
    other = Database.open(f"sqlite:///{tmp_path / 'penstock.db'}")
    with other.write() as tx:
        tx.execute(insert(outbox), ROW)
    other.close()
    assert db.version() not in seen


def test_a_watcher_of_statements_sees_those_that_are_known(db: Database) -> None:
    look: Executable = select(outbox.c.id)
    with db.read() as tx:
        for _ in range(3):
            tx.execute(look)
        with recorded(tx) as seen:
            tx.execute(look)
    assert len(seen) == 1


def test_one_row_is_one_row() -> None:
    assert QuickResult([(1,)], -1).scalar_one() == 1
    assert QuickResult([], -1).scalar_one_or_none() is None
    with pytest.raises(NoResultFound):
        QuickResult([], -1).one()
    with pytest.raises(MultipleResultsFound):
        QuickResult([(1,), (2,)], -1).one()
