from itertools import combinations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from penstock.lifecycle.rollup import (
    OUTCOME_OF_WORKFLOW,
    find_reason,
    roll_up_group,
    roll_up_jobs,
    roll_up_workflows,
)
from penstock.lifecycle.state import JobState
from penstock.model.status import JobStatus, Outcome, Reason, WorkflowStatus

J = JobStatus
W = WorkflowStatus


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([], W.NOT_RUN),
        ([J.QUEUED, J.BLOCKED], W.RUNNING),
        ([J.RUNNING, J.FAILED], W.FAILING),
        ([J.WAITING, J.INFRASTRUCTURE_FAIL], W.FAILING),
        ([J.CANCELING, J.SUCCESS], W.RUNNING),
        ([J.ON_HOLD, J.QUEUED], W.RUNNING),
        ([J.ON_HOLD, J.BLOCKED, J.SUCCESS], W.ON_HOLD),
        ([J.ON_HOLD, J.FAILED], W.ON_HOLD),
        ([J.SUCCESS, J.FAILED, J.CANCELED, J.UNAUTHORIZED], W.FAILED),
        ([J.SUCCESS, J.TIMEDOUT], W.FAILED),
        ([J.CANCELED, J.UNAUTHORIZED, J.SUCCESS], W.UNAUTHORIZED),
        ([J.CANCELED, J.NOT_RUN, J.SUCCESS], W.CANCELED),
        ([J.SUCCESS, J.SKIPPED, J.NOT_RUN], W.SUCCESS),
        ([J.SKIPPED], W.SUCCESS),
        ([J.NOT_RUN], W.NOT_RUN),
    ],
)
def test_a_workflow_is_the_first_rule_that_holds(statuses: list[JobStatus], expected: W) -> None:
    assert roll_up_jobs(statuses) is expected


def test_a_workflow_is_over_exactly_when_its_jobs_are() -> None:
    for size in range(1, 4):
        for statuses in combinations(JobStatus, size):
            over = all(status.is_terminal for status in statuses)
            assert roll_up_jobs(statuses).is_terminal == over


@given(st.permutations(list(JobStatus)), st.integers(1, 6))
def test_neither_order_nor_number_of_jobs_matters(statuses: list[JobStatus], size: int) -> None:
    some = statuses[:size]
    assert roll_up_jobs([*reversed(some), *some]) is roll_up_jobs(some)


@pytest.mark.parametrize(
    ("jobs", "expected"),
    [
        ([(J.SUCCESS, ""), (J.SKIPPED, "condition")], Outcome.SUCCESS),
        ([(J.SUCCESS, ""), (J.RUNNING, "")], None),
        ([(J.FAILED, "test"), (J.BLOCKED, "")], None),
        ([(J.FAILED, "test"), (J.CANCELED, "user")], Outcome.CANCELED),
        ([(J.FAILED, "test"), (J.CANCELED, "fast_failing"), (J.NOT_RUN, "fast_failing")], Outcome.FAILED),
        ([(J.SUCCESS, ""), (J.CANCELED, "fast_failing")], Outcome.CANCELED),
        ([(J.SUCCESS, ""), (J.NOT_RUN, "fast_failing")], Outcome.CANCELED),
        ([(J.NOT_RUN, "fast_failing"), (J.NOT_RUN, "fast_failing")], Outcome.NOT_RUN),
        ([(J.SUCCESS, ""), (J.NOT_RUN, "dependency")], Outcome.NOT_RUN),
        ([(J.UNAUTHORIZED, "unauthorized"), (J.NOT_RUN, "dependency")], Outcome.UNAUTHORIZED),
        ([(J.TIMEDOUT, "timeout"), (J.UNAUTHORIZED, "unauthorized")], Outcome.FAILED),
    ],
)
def test_a_group_passes_only_when_all_its_jobs_did(
    jobs: list[tuple[JobStatus, str]], expected: Outcome | None
) -> None:
    assert (
        roll_up_group([JobState(status=status, reason=Reason(reason)) for status, reason in jobs]) is expected
    )


def test_the_reason_is_that_of_the_first_job_that_made_the_verdict() -> None:
    jobs = [
        JobState(status=J.SKIPPED, reason=Reason.CONDITION),
        JobState(status=J.CANCELED, reason=Reason.USER),
        JobState(status=J.TIMEDOUT, reason=Reason.TIMEOUT),
        JobState(status=J.FAILED, reason=Reason.TEST),
        JobState(status=J.NOT_RUN, reason=Reason.DEPENDENCY),
    ]
    assert find_reason(W.FAILED, jobs) is Reason.TIMEOUT
    assert find_reason(W.CANCELED, jobs) is Reason.USER
    assert find_reason(W.NOT_RUN, jobs) is Reason.DEPENDENCY
    assert find_reason(W.SUCCESS, jobs) is Reason.NONE


@pytest.mark.parametrize(
    ("workflows", "expected"),
    [
        ([], W.NOT_RUN),
        ([(W.FAILED, False)], W.NOT_RUN),
        ([(W.SUCCESS, True), (W.FAILED, False)], W.SUCCESS),
        ([(W.SUCCESS, True), (W.QUEUED, True)], W.RUNNING),
        ([(W.ERROR, True), (W.RUNNING, True)], W.FAILING),
        ([(W.FAILING, True)], W.FAILING),
        ([(W.CANCELING, True), (W.SUCCESS, True)], W.RUNNING),
        ([(W.ON_HOLD, True), (W.FAILED, True)], W.ON_HOLD),
        ([(W.ERROR, True), (W.CANCELED, True)], W.FAILED),
        ([(W.CANCELED, True), (W.UNAUTHORIZED, True)], W.UNAUTHORIZED),
        ([(W.SUCCESS, True), (W.CANCELED, True)], W.CANCELED),
        ([(W.SUCCESS, True), (W.NOT_RUN, True)], W.SUCCESS),
    ],
)
def test_a_pipeline_is_the_first_rule_that_holds(workflows: list[tuple[W, bool]], expected: W) -> None:
    assert roll_up_workflows(workflows) is expected


def test_every_end_of_a_workflow_has_an_outcome_and_no_other_status_has() -> None:
    assert set(OUTCOME_OF_WORKFLOW) == {status for status in W if status.is_terminal}
