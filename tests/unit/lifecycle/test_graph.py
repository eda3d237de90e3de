from itertools import pairwise

import hypothesis.strategies as st
import pytest
from hypothesis import given

from penstock.lifecycle.graph import Graph, find_cycle
from penstock.model.errors import InvalidError
from penstock.plan.workflow import PASSED, GroupPlan, JobPlan, WorkflowPlan
from tests.support.compact import make_jobs, make_workflow


def test_upstream_is_everything_before_in_the_order_it_ran() -> None:
    graph = Graph.of(
        make_jobs(d={"needs": ["c", "b"]}, c={"needs": ["b"]}, b={"needs": ["a"]}, a=None, other=None)
    )
    assert graph.upstream("d") == ("a", "b", "c")
    assert graph.upstream("a") == ()


def test_upstream_goes_through_groups() -> None:
    graph = Graph.of(
        make_workflow(
            {
                "groups": {"build": {}, "test": {"needs": ["build"]}},
                "jobs": {
                    "compile": {"group": "build"},
                    "pack": {"group": "build", "needs": ["compile"]},
                    "unit": {"group": "test"},
                    "report": {"needs": {"test": "terminal"}},
                },
            }
        )
    )
    assert graph.upstream("unit") == ("compile", "pack")
    assert graph.upstream("report") == ("compile", "pack", "unit")
    assert graph.downstream(["compile"]) == ("pack", "unit", "report")
    assert graph.downstream(["unit"]) == ("report",)


def test_a_job_of_a_group_may_need_what_its_group_does_not() -> None:
    graph = Graph.of(
        make_workflow(
            {"groups": {"g": {}}, "jobs": {"a": {}, "b": {"group": "g", "needs": ["a"]}, "c": {"group": "g"}}}
        )
    )
    assert graph.upstream("b") == ("a",)
    assert graph.upstream("c") == ()


@pytest.mark.parametrize(
    ("jobs", "cycle"),
    [
        ({"a": {"needs": ["a"]}}, "a -> a"),
        ({"a": {"needs": ["b"]}, "b": {"needs": ["c"]}, "c": {"needs": ["b"]}}, "b -> c -> b"),
    ],
)
def test_a_cycle_is_named(jobs: dict[str, object], cycle: str) -> None:
    plan = make_workflow({"jobs": jobs})
    assert find_cycle(plan) == cycle
    with pytest.raises(InvalidError, match=cycle):
        Graph.of(plan)


def test_a_group_waits_for_its_jobs_so_they_cannot_wait_for_it() -> None:
    plan = make_workflow({"groups": {"g": {}}, "jobs": {"a": {"group": "g", "needs": ["g"]}}})
    assert find_cycle(plan) == "a -> g -> a"


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ({"jobs": {"a": {"needs": ["nobody"]}}}, "needs 'nobody', which does not exist"),
        ({"jobs": {"a": {"group": "nowhere"}}}, "unknown group: 'nowhere'"),
        ({"jobs": {"a": {}}, "groups": {"g": {}}}, "group 'g' has no jobs"),
        ({"jobs": {"a": {"group": "a"}}, "groups": {"a": {}}}, "'a' is a job and a group"),
    ],
)
def test_a_plan_that_breaks_its_promises_is_refused(plan: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidError, match=message):
        Graph.of(make_workflow(plan))


@given(st.lists(st.lists(st.integers(0, 30), max_size=4), min_size=1, max_size=30))
def test_every_graph_has_an_order_or_a_cycle(needs: list[list[int]]) -> None:
    jobs = {
        f"j{place}": JobPlan(name="j", needs={f"j{need % len(needs)}": PASSED for need in wanted})
        for place, wanted in enumerate(needs)
    }
    plan = WorkflowPlan(name="main", jobs=jobs)
    cycle = find_cycle(plan)
    if not cycle:
        rank = Graph.of(plan).rank
        assert all(rank[need] < rank[key] for key, job in jobs.items() for need in job.needs)
        return
    trail = cycle.split(" -> ")
    assert trail[0] == trail[-1]
    assert all(after in jobs[before].needs for before, after in pairwise(trail))
    with pytest.raises(InvalidError):
        Graph.of(plan)


@given(
    st.lists(st.sets(st.integers(0, 20), max_size=4), min_size=1, max_size=20), st.sets(st.integers(0, 20))
)
def test_who_came_before_whom_follows_from_the_nearest_alone(needs: list[set[int]], chosen: set[int]) -> None:
    jobs = {
        f"j{place}": JobPlan(name="j", needs={f"j{need}": PASSED for need in wanted if need < place})
        for place, wanted in enumerate(needs)
    }
    graph = Graph.of(WorkflowPlan(name="main", jobs=jobs))
    keys = {f"j{place}" for place in chosen} & jobs.keys()
    nearest = graph.nearest(keys)
    before: dict[str, set[str]] = {}
    for key in sorted(keys, key=graph.rank.__getitem__):
        before[key] = set(nearest[key]).union(*(before[each] for each in nearest[key]))
    assert before == {key: keys.intersection(graph.upstream(key)) for key in keys}


def test_the_nearest_of_a_group_are_its_jobs() -> None:
    graph = Graph.of(
        make_workflow(
            {
                "groups": {"build": {}},
                "jobs": {"a": {"group": "build"}, "b": {"group": "build"}, "c": {"needs": ["build"]}},
            }
        )
    )
    assert graph.nearest(["a", "c"]) == {"a": (), "c": ("a",)}


def test_many_groups_cost_edges_between_groups_only() -> None:
    groups = {
        f"g{place}": GroupPlan(name="g", needs={f"g{place - 1}": PASSED} if place else {})
        for place in range(300)
    }
    jobs = {f"{group}.{number}": JobPlan(name="j", group=group) for group in groups for number in range(50)}
    graph = Graph.of(WorkflowPlan(name="main", jobs=jobs, groups=groups))
    assert sum(len(waiting) for waiting in graph.dependents.values()) == 299
    assert len(graph.upstream("g299.0")) == 299 * 50
