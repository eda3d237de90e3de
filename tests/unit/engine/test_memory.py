import threading

from penstock.engine.facts import Facts
from penstock.engine.memory import Memory, SavedState
from penstock.engine.recent import Recent
from penstock.lifecycle.state import WorkflowState
from tests.support.lab import Lab


def saved(version: int) -> SavedState:
    return SavedState(version=version, state=WorkflowState(jobs={}), ids={}, flags={})


def test_only_the_values_used_last_are_remembered() -> None:
    recent: Recent[int, str] = Recent(2)
    recent.put(1, "one")
    recent.put(2, "two")
    assert recent.get(1) == "one"
    recent.put(3, "three")
    assert [recent.get(key) for key in (1, 2, 3)] == ["one", None, "three"]


def test_a_state_of_another_version_is_read_anew() -> None:
    memory = Memory()
    memory.keep_state(1, saved(3))
    assert memory.state(1, 3, lambda: saved(0)).version == 3
    for version in (2, 4):
        assert memory.state(1, version, lambda version=version: saved(version)).version == version  # type: ignore[misc]  # mypy knows no defaults of lambdas


def test_a_later_state_is_not_forgotten_for_an_earlier_one() -> None:
    memory = Memory()
    memory.keep_state(1, saved(5))
    memory.keep_state(1, saved(4))
    assert memory.state(1, 5, lambda: saved(0)).version == 5


def test_many_threads_may_remember_at_once() -> None:
    recent: Recent[int, int] = Recent(8)

    def work(start: int) -> None:
        for key in range(start, start + 500):
            recent.put(key % 20, key)
            recent.get((key + 7) % 20)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(recent.get(key) is not None for key in range(20)) == 8


def test_facts_are_read_once(lab: Lab) -> None:
    pipeline = lab.run({"a": None})
    row_id = lab.workflow(pipeline).id
    found: list[Facts] = []
    for _ in range(2):
        with lab.parts.db.read() as tx:
            found.append(lab.parts.memory.facts(tx, row_id))
    assert found[0] is found[1]
    assert found[0].graph.plan.jobs.keys() == {"a"}
