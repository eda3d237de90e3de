"""Locks, the outbox and timers: who waits for what."""

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

from sqlalchemy import select

from penstock.model.errors import PenstockError
from penstock.store import locks, outbox, timers
from penstock.store.database import Database
from penstock.store.locks import LockOwner
from penstock.store.schema import outbox as table
from tests.support.records import NOW, add_organization, add_pipeline, add_workflow

KINDS = ("status", "webhook", "k")
"""The kinds of letters there are here."""


def add_owners(db: Database, count: int, name: str = "deploy") -> list[LockOwner]:
    with db.write() as tx:
        organization = add_organization(tx)
        pipeline = add_pipeline(tx)
        return [
            LockOwner(organization_id=organization.id, name=name, workflow_id=add_workflow(tx, pipeline).id)
            for _ in range(count)
        ]


def test_a_lock_has_one_holder_and_is_handed_on_in_order(db: Database) -> None:
    first, second, third = add_owners(db, 3)
    with db.write() as tx:
        held = [locks.acquire_lock(tx, owner, now=NOW) for owner in (first, second, third, second)]
        assert held == [True, False, False, False]
        assert locks.acquire_lock(tx, first, now=NOW)
        queue = locks.list_entries(tx, first.organization_id, "deploy")
        assert [(entry.workflow_id, entry.held) for entry in queue] == [
            (first.workflow_id, True),
            (second.workflow_id, False),
            (third.workflow_id, False),
        ]
        granted = locks.release_lock(tx, first)
        assert granted is not None
        assert (granted.workflow_id, granted.held) == (second.workflow_id, True)
        assert locks.acquire_lock(tx, second, now=NOW)
        assert locks.release_lock(tx, first) is None


def test_who_stops_waiting_hands_on_nothing(db: Database) -> None:
    first, second, third = add_owners(db, 3)
    with db.write() as tx:
        for owner in (first, second, third):
            locks.acquire_lock(tx, owner, now=NOW)
        assert locks.release_lock(tx, second) is None
        granted = locks.release_lock(tx, first)
        assert granted is not None
        assert granted.workflow_id == third.workflow_id
        assert locks.release_lock(tx, third) is None
        assert locks.list_entries(tx, first.organization_id, "deploy") == []


def test_a_workflow_that_ends_lets_go_of_everything(db: Database) -> None:
    [first, second] = add_owners(db, 2)
    jobs = [
        LockOwner(
            **{name: getattr(first, name) for name in ("organization_id", "name", "workflow_id")}, job_key=key
        )
        for key in ("a", "b")
    ]
    with db.write() as tx:
        for owner in (*jobs, second):
            locks.acquire_lock(tx, owner, now=NOW)
        assert [entry.job_key for entry in locks.entries_of(tx, first.workflow_id)] == ["a", "b"]
        granted = locks.release_all(tx, first.workflow_id)
        assert [entry.workflow_id for entry in granted] == [second.workflow_id]
        assert locks.entries_of(tx, first.workflow_id) == []


def test_names_are_locked_apart(db: Database) -> None:
    [one] = add_owners(db, 1)
    [other] = add_owners(db, 1, "other")
    with db.write() as tx:
        assert locks.acquire_lock(tx, one, now=NOW)
        assert locks.acquire_lock(tx, other, now=NOW)


def test_threads_never_hold_a_lock_together_and_none_is_forgotten(db: Database) -> None:
    owners = add_owners(db, 6)
    granted: dict[int, threading.Event] = {owner.workflow_id: threading.Event() for owner in owners}
    holding: list[int] = []

    def hold(owner: LockOwner) -> None:
        with db.write() as tx:
            held = locks.acquire_lock(tx, owner, now=NOW)
        if not held and not granted[owner.workflow_id].wait(20):
            raise PenstockError("never granted")
        holding.append(owner.workflow_id)
        assert len(holding) == 1
        holding.remove(owner.workflow_id)
        with db.write() as tx:
            following = locks.release_lock(tx, owner)
        if following is not None:
            granted[following.workflow_id].set()

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(hold, owners)) == [None] * 6
    with db.read() as tx:
        assert locks.list_entries(tx, owners[0].organization_id, "deploy") == []


def test_a_letter_is_leased_until_it_is_finished(db: Database) -> None:
    with db.write() as tx:
        later = outbox.append_letter(tx, "status", "w1", {"n": 2}, now=NOW + 50)
        first = outbox.append_letter(tx, "webhook", "w1", {"n": 1}, now=NOW)
        assert outbox.next_due(tx, KINDS) == NOW
        [letter] = outbox.take_due(tx, KINDS, NOW, lease_until=NOW + 30)
        assert (letter.id, letter.payload, letter.attempts) == (first, {"n": 1}, 1)
        assert outbox.take_due(tx, KINDS, NOW + 29, lease_until=NOW + 60) == []
        [again] = outbox.take_due(tx, KINDS, NOW + 30, lease_until=NOW + 60)
        assert (again.id, again.attempts) == (first, 2)
        outbox.postpone_letter(tx, again, due_at=NOW + 40, error="503 \x00")
        [third] = outbox.take_due(tx, KINDS, NOW + 45, lease_until=NOW + 60)
        assert (third.id, third.error) == (first, "503 \ufffd")
        outbox.finish_letter(tx, third)
        [last] = outbox.take_due(tx, KINDS, NOW + 99, lease_until=NOW + 999)
        assert last.id == later
        outbox.finish_letter(tx, last)
        assert outbox.next_due(tx, KINDS) is None


def test_who_was_taken_for_dead_cannot_postpone_a_letter_another_is_at_work_on(db: Database) -> None:
    with db.write() as tx:
        outbox.append_letter(tx, "k", "s", {}, now=NOW)
        outbox.append_letter(tx, "k", "s", {}, now=NOW)
        [slow] = outbox.take_due(tx, KINDS, NOW, lease_until=NOW + 30)
        [taken] = outbox.take_due(tx, KINDS, NOW + 30, lease_until=NOW + 60)
        outbox.postpone_letter(tx, slow, due_at=NOW + 32, error="another one makes it")
        assert [due for (due,) in tx.execute(select(table.c.due_at).order_by(table.c.id))] == [NOW + 60, NOW]
        assert outbox.keep_letter(tx, taken, until=NOW + 90)
        outbox.postpone_letter(tx, taken, due_at=NOW + 40, error="away")
        assert outbox.next_due(tx, KINDS) == NOW + 40


def test_letters_wait_behind_one_that_was_postponed_and_are_due_when_it_is_done(db: Database) -> None:
    with db.write() as tx:
        made = [outbox.append_letter(tx, "k", "s", {}, now=NOW) for _ in range(2)]
        [first] = outbox.take_due(tx, KINDS, NOW, lease_until=NOW + 30)
        outbox.postpone_letter(tx, first, due_at=NOW + 500, error="away")
        made.append(outbox.append_letter(tx, "k", "s", {}, now=NOW + 10))
        other = outbox.append_letter(tx, "k", "other", {}, now=NOW + 20)
        assert [due for (due,) in tx.execute(select(table.c.due_at).order_by(table.c.id))] == [
            NOW + 500,
            NOW + 500,
            NOW + 500,
            NOW + 20,
        ]
        [free] = outbox.take_due(tx, KINDS, NOW + 100, lease_until=NOW + 600)
        assert free.id == other
        outbox.finish_letter(tx, free)
        assert outbox.next_due(tx, KINDS) == NOW + 500
        seen = []
        for _ in made:
            [letter] = outbox.take_due(tx, KINDS, NOW + 500, lease_until=NOW + 600)
            seen.append(letter.id)
            outbox.finish_letter(tx, letter)
        assert seen == made
        assert outbox.next_due(tx, KINDS) is None


def test_threads_never_take_the_same_letter(db: Database) -> None:
    with db.write() as tx:
        made = [outbox.append_letter(tx, "k", str(index), {}, now=NOW) for index in range(60)]

    def take(_: int) -> list[int]:
        mine: list[int] = []
        while True:
            with db.write() as tx:
                taken = outbox.take_due(tx, KINDS, NOW, lease_until=NOW + 1, limit=4)
            if not taken:
                return mine
            mine += [letter.id for letter in taken]

    with ThreadPoolExecutor(6) as pool:
        assert sorted(chain.from_iterable(pool.map(take, range(6)))) == made


def test_a_letter_is_promised_only_if_the_transaction_commits(db: Database) -> None:
    def promise_and_fail() -> None:
        with db.write() as tx:
            outbox.append_letter(tx, "k", "s", {}, now=NOW)
            raise PenstockError("stop")

    with ThreadPoolExecutor(1) as pool:
        assert isinstance(pool.submit(promise_and_fail).exception(), PenstockError)
    with db.read() as tx:
        assert outbox.next_due(tx, KINDS) is None


def test_a_timer_fires_once_when_due(db: Database) -> None:
    with db.write() as tx:
        timers.set_timer(tx, "limit", "w1", due_at=NOW + 90)
        timers.set_timer(tx, "limit", "w1", due_at=NOW + 20, payload={"key": "a"})
        timers.set_timer(tx, "retry", "w1", due_at=NOW + 10)
        assert timers.next_due(tx) == NOW + 10
        assert timers.take_due(tx, NOW + 9) == []
        fired = timers.take_due(tx, NOW + 20)
        assert [(timer.kind, timer.payload) for timer in fired] == [("retry", {}), ("limit", {"key": "a"})]
        assert timers.take_due(tx, NOW + 99) == []


def test_timers_are_cancelled_by_subject(db: Database) -> None:
    with db.write() as tx:
        for kind, subject in (("limit", "w1"), ("retry", "w1"), ("limit", "w2")):
            timers.set_timer(tx, kind, subject, due_at=NOW)
        timers.cancel_timers(tx, "w1", kind="retry")
        timers.cancel_timers(tx, "w2")
        assert [(timer.kind, timer.subject) for timer in timers.take_due(tx, NOW)] == [("limit", "w1")]


def test_a_timer_whose_work_failed_comes_back(db: Database) -> None:
    with db.write() as tx:
        timers.set_timer(tx, "limit", "w1", due_at=NOW)

    def take_and_fail() -> None:
        with db.write() as tx:
            assert len(timers.take_due(tx, NOW)) == 1
            raise PenstockError("stop")

    with ThreadPoolExecutor(1) as pool:
        assert isinstance(pool.submit(take_and_fail).exception(), PenstockError)
    with db.write() as tx:
        assert len(timers.take_due(tx, NOW)) == 1
