"""The claim queue: who gets what, once, in which order, and for how long."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from penstock.model.status import TaskStatus
from penstock.store import queue, tasks
from penstock.store.database import Database
from tests.support.records import NOW, add_jobs, add_tasks

LATER = NOW + 30_000


def claim(db: Database, *labels: str, agent: int = 1, limit: int = 1) -> list[str]:
    with db.write() as tx:
        return [task.uuid for task in queue.claim_tasks(tx, agent, labels, limit=limit, lease_until=LATER)]


def test_the_highest_priority_goes_first_then_the_oldest(db: Database) -> None:
    with db.write() as tx:
        low, high, also_high, other = (
            add_tasks(tx, priority=priority, job=job)[0].uuid
            for job, priority in zip(add_jobs(tx, "abcd"), [10, 90, 90, 50], strict=True)
        )
    assert claim(db, limit=3) == [high, also_high, other]
    assert claim(db, limit=3) == [low]
    assert claim(db, limit=3) == []


def test_the_order_holds_across_label_sets(db: Database) -> None:
    sets = [["linux"], ["linux", "gpu"], [], ["linux"]]
    with db.write() as tx:
        uuids = [
            add_tasks(tx, labels=labels, priority=priority, job=job)[0].uuid
            for job, labels, priority in zip(add_jobs(tx, "abcd"), sets, [50, 60, 50, 55], strict=True)
        ]
    assert claim(db, "linux", "gpu", limit=3) == [uuids[1], uuids[3], uuids[0]]
    assert claim(db, "linux", "gpu", limit=3) == [uuids[2]]


def test_an_agent_gets_only_tasks_whose_labels_it_carries_all_of(db: Database) -> None:
    with db.write() as tx:
        both, none = (
            add_tasks(tx, labels=labels, job=job)[0].uuid
            for job, labels in zip(add_jobs(tx, "ab"), [["gpu", "linux"], []], strict=True)
        )
    assert claim(db, "linux", limit=9) == [none]
    assert claim(db, "linux", "lin", "gpux", limit=9) == []
    assert claim(db, "gpu", "arm", "linux", limit=9) == [both]


def test_a_claimed_task_runs_and_is_not_queued(db: Database) -> None:
    with db.write() as tx:
        add_tasks(tx)
        [claimed] = queue.claim_tasks(tx, 7, [], limit=5, lease_until=LATER)
        assert (claimed.status, claimed.agent_id, claimed.lease_until) == (TaskStatus.RUNNING, 7, LATER)
        assert queue.waiting_keys(tx) == []
        assert queue.held_tasks(tx, 7) == [claimed]


def test_renewing_tells_which_tasks_are_lost(db: Database) -> None:
    with db.write() as tx:
        mine, theirs, ended = add_tasks(tx, 3)
        [first] = queue.claim_tasks(tx, 1, [], limit=1, lease_until=LATER)
        queue.claim_tasks(tx, 2, [], limit=1, lease_until=LATER)
        [third] = queue.claim_tasks(tx, 1, [], limit=1, lease_until=LATER)
        change = tasks.TaskChange(id=third.id, status=TaskStatus.SUCCESS, lease_until=None)
        tasks.update_tasks(tx, [change])
        still = queue.renew_leases(
            tx, 1, [mine.uuid, theirs.uuid, ended.uuid, "unknown"], lease_until=LATER + 9
        )
        assert still == {first.uuid}
        assert queue.renew_leases(tx, 1, [], lease_until=LATER) == set()
        renewed = tasks.get_task(tx, first.id)
        assert renewed is not None
        assert renewed.lease_until == LATER + 9


def test_expired_leases_are_found_oldest_first(db: Database) -> None:
    with db.write() as tx:
        add_tasks(tx, 3)
        for agent, until in ((1, NOW + 20), (2, NOW + 10), (3, NOW + 99)):
            queue.claim_tasks(tx, agent, [], limit=1, lease_until=until)
        assert [task.agent_id for task in queue.expired_tasks(tx, NOW + 21)] == [2, 1]
        assert [task.agent_id for task in queue.expired_tasks(tx, NOW + 21, limit=1)] == [2]
        assert queue.expired_tasks(tx, NOW + 10) == []


def test_a_released_task_keeps_its_place_under_a_new_name_and_counts_events_anew(db: Database) -> None:
    with db.write() as tx:
        first, second = add_tasks(tx, 2)
        [claimed] = queue.claim_tasks(tx, 1, [], limit=1, lease_until=LATER)
        tasks.update_tasks(tx, [tasks.TaskChange(id=claimed.id, last_sequence=3)])
        queue.release_task(tx, claimed.id, now=NOW + 5)
        renamed = tasks.get_task(tx, first.id)
        assert renamed is not None
        held = tasks.lock_task(tx, renamed.uuid)
        assert held is not None
        assert (held.last_sequence, held.task.agent_id, held.task.status) == (0, None, TaskStatus.QUEUED)
        assert tasks.lock_task(tx, first.uuid) is None
    assert claim(db, limit=2) == [renamed.uuid, second.uuid]


def test_the_last_event_that_was_taken_in_is_remembered(db: Database) -> None:
    with db.write() as tx:
        [task] = add_tasks(tx)
        tasks.update_tasks(tx, [tasks.TaskChange(id=task.id, last_sequence=3)])
        held = tasks.lock_task(tx, task.uuid)
        assert held is not None
        assert held.last_sequence == 3


def test_a_task_is_placed_before_anything_is_locked(db: Database) -> None:
    with db.write() as tx:
        [job] = add_jobs(tx)
        [task] = add_tasks(tx, job=job)
        placed = tasks.place_task(tx, task.uuid)
        assert placed == tasks.Placement(
            task_id=task.id, job_id=job.id, workflow_id=job.workflow_id, project_id=job.project_id
        )
        assert tasks.place_task(tx, "unknown") is None
        assert tasks.tasks_of(tx, job.id, attempt=1) == tasks.tasks_of(tx, job.id) == [task]
        assert tasks.tasks_of(tx, job.id, attempt=2) == []


def test_waiting_tasks_are_counted_by_label_set(db: Database) -> None:
    with db.write() as tx:
        for job, labels in zip(add_jobs(tx, "ab"), [["b", "a", "a"], []], strict=True):
            add_tasks(tx, 2, labels=labels, job=job)
        assert queue.count_queued(tx) == {"": 2, "a\nb\n": 2}


def test_eight_claimers_never_get_the_same_task(db: Database) -> None:
    with db.write() as tx:
        made = []
        for job, labels in zip(add_jobs(tx, "abc"), [["x"], ["y"], ["x", "y"]], strict=True):
            made += add_tasks(tx, 40, labels=labels, job=job)
    start = threading.Barrier(8)

    def claim_all(agent: int) -> list[str]:
        start.wait(10)
        mine: list[str] = []
        while taken := claim(db, "x", "y", agent=agent, limit=3):
            mine += taken
        return mine

    with ThreadPoolExecutor(8) as pool:
        claimed = [uuid for mine in pool.map(claim_all, range(8)) for uuid in mine]
    assert Counter(claimed) == Counter(task.uuid for task in made)


def test_a_rival_passes_over_what_another_is_about_to_take(postgresql_db: Database) -> None:
    with postgresql_db.write() as tx:
        first, second = add_tasks(tx, 2)
    with postgresql_db.write() as slow:
        [held] = queue.claim_tasks(slow, 1, [], limit=1, lease_until=LATER)
        assert (held.uuid, claim(postgresql_db, agent=2, limit=5)) == (first.uuid, [second.uuid])
