"""Without locks and fail-fast it does not matter who comes first: the end is in the plan and the verdicts."""

from random import Random

import hypothesis.strategies as st
from hypothesis import given, settings

from penstock.lifecycle.events import AnyEvent, Approved, JobFinished, JobStarted, RetryDue
from penstock.lifecycle.graph import Graph
from penstock.lifecycle.state import WorkflowState
from penstock.lifecycle.workflow import advance, start
from penstock.model.status import JobStatus, WorkflowStatus
from penstock.plan.workflow import WorkflowPlan
from tests.support.workflows import make_calm, workflow_plans


def run_in_some_order(graph: Graph, verdicts: dict[str, JobStatus], chance: Random) -> WorkflowState:
    """The workflow's end, after everything that could happen next happened in an order left to chance."""
    state = start(graph).state
    while not state.status.is_terminal:
        state = advance(graph, state, chance.choice(list_moves(state, verdicts))).state
    return state


def list_moves(state: WorkflowState, verdicts: dict[str, JobStatus]) -> list[AnyEvent]:
    """All that could happen next; a job's verdict is the same at every attempt."""
    moves: list[AnyEvent] = []
    for key, job in state.jobs.items():
        match job.status:
            case JobStatus.QUEUED:
                moves.append(JobStarted(key=key, attempt=job.attempt))
            case JobStatus.RUNNING:
                status = verdicts.get(key, JobStatus.SUCCESS)
                moves.append(JobFinished(key=key, attempt=job.attempt, status=status))
            case JobStatus.ON_HOLD:
                moves.append(Approved(key=key, by="ada"))
            case JobStatus.WAITING:
                moves.append(RetryDue(key=key, attempt=job.attempt))
            case _:
                pass  # blocked or over
    return moves


@settings(max_examples=200, deadline=None, database=None)
@given(plan=workflow_plans().map(make_calm), data=st.data(), seeds=st.tuples(st.integers(), st.integers()))
def test_two_orders_come_to_the_same_end(
    plan: WorkflowPlan, data: st.DataObject, seeds: tuple[int, int]
) -> None:
    ends = st.sampled_from([JobStatus.SUCCESS, JobStatus.FAILED, JobStatus.CANCELED])
    verdicts = {key: data.draw(ends) for key in plan.jobs}
    graph = Graph.of(plan)
    first, second = (run_in_some_order(graph, verdicts, Random(seed)) for seed in seeds)  # noqa: S311 - no secret
    assert first == second
    assert first.status is not WorkflowStatus.CANCELING
