import pytest

from penstock.lifecycle.graph import Graph
from penstock.lifecycle.rerun import may_rerun_itself, rerun_failed, rerun_jobs, rerun_whole
from penstock.lifecycle.state import JobState, WorkflowState, make_state
from penstock.model.errors import NotFoundError, RefusedError
from penstock.model.status import JobStatus, Reason, WorkflowStatus
from tests.support.compact import make_jobs, make_workflow

CHAIN = Graph.of(make_jobs(a=None, b={"needs": ["a"]}, c={"needs": ["b"]}))


def ended(**jobs: JobStatus) -> WorkflowState:
    states = {key: JobState(status=status, attempt=1, approved_by="ada") for key, status in jobs.items()}
    return WorkflowState(jobs=states, status=WorkflowStatus.FAILED, begun=True)


FAILED = ended(a=JobStatus.SUCCESS, b=JobStatus.FAILED, c=JobStatus.CANCELED)


def test_a_workflow_that_lives_cannot_run_again() -> None:
    living = make_state(CHAIN)
    with pytest.raises(RefusedError, match="only one that has ended"):
        rerun_whole(CHAIN, living)
    with pytest.raises(RefusedError, match="only one that has ended"):
        rerun_failed(CHAIN, living)
    with pytest.raises(RefusedError, match="only one that has ended"):
        rerun_jobs(CHAIN, living, ["a"])


def test_kept_jobs_keep_all_they_had() -> None:
    rerun = rerun_failed(CHAIN, FAILED)
    assert rerun.kept == ("a",)
    assert rerun.state.jobs["a"] == FAILED.jobs["a"]
    assert rerun.state.jobs["b"] == JobState()
    assert not rerun.state.begun


def test_nothing_failed_means_nothing_to_run_again_from_failed() -> None:
    good = ended(a=JobStatus.SUCCESS, b=JobStatus.SKIPPED, c=JobStatus.SUCCESS)
    with pytest.raises(RefusedError, match="no failed jobs"):
        rerun_failed(CHAIN, good)
    assert rerun_whole(CHAIN, good).kept == ()


def test_jobs_that_fell_to_a_siblings_failure_run_again() -> None:
    graph = Graph.of(make_jobs(a=None, b=None))
    old = WorkflowState(
        jobs={
            "a": JobState(status=JobStatus.FAILED, reason=Reason.TEST, attempt=1),
            "b": JobState(status=JobStatus.NOT_RUN, reason=Reason.FAST_FAILING),
        },
        status=WorkflowStatus.FAILED,
        begun=True,
    )
    assert rerun_failed(graph, old).kept == ()


def test_unknown_and_no_jobs_are_refused() -> None:
    with pytest.raises(NotFoundError, match="no job 'z'"):
        rerun_jobs(CHAIN, FAILED, ["a", "z"])
    with pytest.raises(RefusedError, match="at least one job"):
        rerun_jobs(CHAIN, FAILED, [])


def test_chosen_jobs_take_what_waits_for_them_along() -> None:
    assert rerun_jobs(CHAIN, FAILED, ["b"]).kept == ("a",)
    assert rerun_jobs(CHAIN, FAILED, ["c"]).kept == ("a", "b")


def test_a_lock_is_taken_again_only_for_what_it_protects() -> None:
    graph = Graph.of(
        make_jobs(
            lock={"kind": "lock", "lock": "prod"},
            deploy={"needs": ["lock"]},
            unlock={"kind": "unlock", "lock": "prod", "needs": {"deploy": "terminal"}},
            mail={"needs": ["unlock"]},
        )
    )
    passed = JobStatus.SUCCESS
    old = ended(lock=passed, deploy=passed, unlock=passed, mail=JobStatus.FAILED)
    assert rerun_failed(graph, old).kept == ("lock", "deploy", "unlock")
    assert rerun_jobs(graph, old, ["deploy"]).kept == ()


@pytest.mark.parametrize(
    ("status", "number", "by_person", "expected"),
    [
        (WorkflowStatus.FAILED, 0, False, True),
        (WorkflowStatus.FAILED, 1, False, True),
        (WorkflowStatus.FAILED, 2, False, False),
        (WorkflowStatus.FAILED, 0, True, False),
        (WorkflowStatus.CANCELED, 0, False, False),
        (WorkflowStatus.SUCCESS, 0, False, False),
    ],
)
def test_automatic_reruns_are_counted(
    status: WorkflowStatus, number: int, *, by_person: bool, expected: bool
) -> None:
    plan = make_workflow({"jobs": {"a": {}}, "max_auto_reruns": 2})
    assert may_rerun_itself(plan, status, number, by_person=by_person) is expected
