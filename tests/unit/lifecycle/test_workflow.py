import time

import pytest

from penstock.lifecycle.effects import Enqueue, LimitTime, StopJob, WorkflowEnded
from penstock.lifecycle.events import (
    AnyEvent,
    Approved,
    Begin,
    CancelRequested,
    JobCancelRequested,
    JobFinished,
    JobLost,
    JobRefused,
    JobStarted,
    LockGranted,
    RetryDue,
    TimeLimitReached,
)
from penstock.lifecycle.graph import Graph
from penstock.lifecycle.state import Advance
from penstock.lifecycle.workflow import advance, start
from penstock.model.errors import NotFoundError, PenstockError, RefusedError
from penstock.model.status import JobStatus, Reason, WorkflowStatus
from penstock.plan.workflow import PASSED, JobPlan, WorkflowPlan
from tests.support.compact import make_jobs, make_workflow

GRAPH = Graph.of(make_jobs(a=None, b={"needs": ["a"]}, hold={"kind": "approval", "needs": ["a"]}))


@pytest.mark.parametrize(
    ("event", "kind", "sentence"),
    [
        (JobStarted(key="zzz", attempt=1), NotFoundError, "no job 'zzz'"),
        (TimeLimitReached(group="zzz"), NotFoundError, "no group 'zzz'"),
        (JobStarted(key="b", attempt=1), RefusedError, "'b' has no attempt 1, it is blocked"),
        (JobStarted(key="a", attempt=2), RefusedError, "'a' has no attempt 2"),
        (JobFinished(key="a", attempt=1, status=JobStatus.BLOCKED), RefusedError, "cannot finish as blocked"),
        (JobLost(key="a", attempt=0, work_started=False), RefusedError, "has no attempt 0"),
        (RetryDue(key="a", attempt=0), RefusedError, "never tried"),
        (LockGranted(key="a"), RefusedError, "has not asked for a lock"),
        (Approved(key="a", by="ada"), RefusedError, "'a' is no approval"),
        (Approved(key="hold", by="ada"), RefusedError, "the jobs before it have not ended"),
        (
            JobRefused(key="a", status=JobStatus.FAILED, reason=Reason.NONE),
            RefusedError,
            "cannot be refused as failed",
        ),
    ],
)
def test_an_event_that_makes_no_sense_is_refused(
    event: AnyEvent, kind: type[PenstockError], sentence: str
) -> None:
    state = start(GRAPH).state
    with pytest.raises(kind, match=sentence):
        advance(GRAPH, state, event)


def test_a_lock_granted_to_two_is_a_mistake_of_the_caller() -> None:
    graph = Graph.of(make_jobs(a={"serial_group": "door"}, b={"serial_group": "door"}))
    state = advance(graph, start(graph).state, LockGranted(key="a")).state
    with pytest.raises(RefusedError, match="while 'a' holds it"):
        advance(graph, state, LockGranted(key="b"))


def test_a_lock_granted_twice_does_not_cut_the_delay_before_another_attempt_short() -> None:
    rule = {"attempts": 2, "delay": 9.0}
    graph = Graph.of(make_jobs(a={"serial_group": "door", "retry": rule}))
    state = advance(graph, start(graph).state, LockGranted(key="a")).state
    state = advance(graph, state, JobFinished(key="a", attempt=1, status=JobStatus.FAILED)).state
    assert state.jobs["a"].status is JobStatus.WAITING
    assert advance(graph, state, LockGranted(key="a")).state is state
    assert advance(graph, state, RetryDue(key="a", attempt=1)).effects == (Enqueue(key="a", attempt=2),)


@pytest.mark.parametrize("delay", [0.0, 9.0])
def test_the_word_of_an_agent_about_an_old_attempt_is_not_taken_for_the_new_one(delay: float) -> None:
    graph = Graph.of(make_jobs(a={"retry": {"attempts": 3, "delay": delay}}))
    failed = JobFinished(key="a", attempt=1, status=JobStatus.FAILED)
    state = advance(graph, start(graph).state, failed).state
    for event in (
        failed,
        JobStarted(key="a", attempt=1),
        JobFinished(key="a", attempt=1, status=JobStatus.SUCCESS),
        JobLost(key="a", attempt=1, work_started=True),
    ):
        assert advance(graph, state, event).state is state


def test_in_a_skipped_group_the_needs_of_its_jobs_do_not_matter() -> None:
    graph = Graph.of(
        make_workflow(
            {
                "groups": {"g": {"needs": ["late"], "run": False}},
                "jobs": {"early": {}, "late": {}, "a": {"group": "g", "needs": ["early"]}},
            }
        )
    )
    state = start(graph).state
    for key, status in (("early", JobStatus.FAILED), ("late", JobStatus.SUCCESS)):
        state = advance(graph, state, JobFinished(key=key, attempt=1, status=status)).state
    assert state.jobs["a"].status is JobStatus.SKIPPED


def test_an_event_that_changes_nothing_gives_back_the_very_state() -> None:
    state = advance(GRAPH, start(GRAPH).state, JobStarted(key="a", attempt=1)).state
    for event in (
        Begin(),
        JobStarted(key="a", attempt=1),
        RetryDue(key="a", attempt=1),
        JobRefused(key="a", status=JobStatus.UNAUTHORIZED, reason=Reason.NONE),
    ):
        step = advance(GRAPH, state, event)
        assert step.state is state
        assert (step.changed, step.effects) == (frozenset(), ())


def test_advance_never_touches_the_state_it_was_given() -> None:
    state = start(GRAPH).state
    before = dict(state.jobs)
    advance(GRAPH, state, JobFinished(key="a", attempt=1, status=JobStatus.SUCCESS))
    assert state.jobs == before


def test_the_first_reason_to_stop_a_job_stays() -> None:
    state = advance(GRAPH, start(GRAPH).state, JobStarted(key="a", attempt=1)).state
    stopping = advance(GRAPH, state, JobCancelRequested(key="a", reason=Reason.USER))
    assert stopping.effects == (StopJob(key="a", reason=Reason.USER),)
    again = advance(GRAPH, stopping.state, CancelRequested(reason=Reason.STRATEGY))
    assert again.state.jobs["a"].reason is Reason.USER
    assert again.state.reason is Reason.STRATEGY
    assert again.effects == ()


def test_the_time_of_a_group_is_limited_once() -> None:
    graph = Graph.of(
        make_workflow(
            {
                "groups": {"g": {"needs": ["x", "y"], "time_limit": 60}},
                "jobs": {"x": {"kind": "no-op"}, "y": {"kind": "no-op"}, "a": {"group": "g"}},
            }
        )
    )
    effects = start(graph).effects
    assert len(effects) == 2
    assert set(effects) == {LimitTime(group="g", seconds=60.0), Enqueue(key="a", attempt=1)}


def test_a_job_of_a_skipped_group_is_skipped_whoever_comes_to_it_first() -> None:
    graph = Graph.of(
        make_workflow(
            {
                "groups": {"g": {"needs": ["x"], "run": False}},
                "jobs": {
                    "y": {"kind": "no-op"},
                    "x": {"kind": "no-op"},
                    "a": {"group": "g", "needs": ["y"]},
                },
            }
        )
    )
    assert start(graph).state.jobs["a"].status is JobStatus.SKIPPED


def test_whoever_approved_is_remembered() -> None:
    state = advance(
        GRAPH, start(GRAPH).state, JobFinished(key="a", attempt=1, status=JobStatus.SUCCESS)
    ).state
    step = advance(GRAPH, state, Approved(key="hold", by="ada"))
    assert step.changed == {"hold"}
    assert step.state.jobs["hold"].approved_by == "ada"


def test_a_queued_workflow_begins_when_told_and_only_once() -> None:
    graph = Graph.of(make_workflow({"jobs": {"a": {}}, "queue": {"name": "q"}, "time_limit": 60}))
    first = start(graph)
    assert (first.state.status, first.effects) == (WorkflowStatus.QUEUED, ())
    begun = advance(graph, first.state, Begin())
    assert begun.effects == (LimitTime(group=None, seconds=60.0), Enqueue(key="a", attempt=1))
    assert advance(graph, begun.state, Begin()).state is begun.state


def test_a_workflow_canceled_in_its_queue_never_begins() -> None:
    graph = Graph.of(make_workflow({"jobs": {"a": {}}, "queue": {"name": "q"}}))
    step = advance(graph, start(graph).state, CancelRequested(reason=Reason.STRATEGY))
    assert step.effects == (WorkflowEnded(status=WorkflowStatus.CANCELED, reason=Reason.STRATEGY),)
    assert not step.state.begun
    assert advance(graph, step.state, Begin()).state is step.state


def test_a_job_canceled_before_its_workflow_begins_lets_nobody_start_early() -> None:
    plan = {"jobs": {"a": {}, "b": {"needs": {"a": "canceled"}}}, "queue": {"name": "q"}}
    graph = Graph.of(make_workflow(plan))
    step = advance(graph, start(graph).state, JobCancelRequested(key="a"))
    assert step.state.status is WorkflowStatus.QUEUED
    assert step.effects == ()
    assert advance(graph, step.state, Begin()).effects == (Enqueue(key="b", attempt=1),)


def test_jobs_are_queued_in_the_order_of_the_plan() -> None:
    graph = Graph.of(make_jobs(z=None, a=None, m=None))
    assert [effect for effect in start(graph).effects if isinstance(effect, Enqueue)] == [
        Enqueue(key=key, attempt=1) for key in ("z", "a", "m")
    ]


def run_through(graph: Graph) -> tuple[Advance, int]:
    """Every job started and finished, in the order of the queue."""
    step = start(graph)
    todo = [effect.key for effect in step.effects if isinstance(effect, Enqueue)]
    events = 0
    while todo:
        key = todo.pop(0)
        for event in (
            JobStarted(key=key, attempt=1),
            JobFinished(key=key, attempt=1, status=JobStatus.SUCCESS),
        ):
            step = advance(graph, step.state, event)
            todo += [effect.key for effect in step.effects if isinstance(effect, Enqueue)]
            events += 1
    return step, events


def test_two_hundred_jobs_pass_in_a_blink() -> None:
    """400 events on 20 layers of 10 jobs, each needing all of the layer before: 11 ms of CPU here."""
    jobs = {
        f"{layer}.{number}": JobPlan(
            name="j", needs={f"{layer - 1}.{before}": PASSED for before in range(10)} if layer else {}
        )
        for layer in range(20)
        for number in range(10)
    }
    graph = Graph.of(WorkflowPlan(name="main", jobs=jobs))
    times = []
    for _ in range(5):
        began = time.process_time()
        step, events = run_through(graph)
        times.append(time.process_time() - began)
        assert (step.state.status, events) == (WorkflowStatus.SUCCESS, 400)
    assert min(times) < 0.05
