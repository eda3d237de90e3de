import pytest

from penstock.engine.effects import judge_copies
from penstock.engine.report import clamp
from penstock.model.status import JobStatus, Reason, TaskStatus

T = TaskStatus


@pytest.mark.parametrize(
    ("at", "expected"), [(5, 10), (10, 10), (15, 15), (25, 20)], ids=["early", "same", "between", "late"]
)
def test_an_agents_time_lies_between_what_it_follows_and_now(at: int, expected: int) -> None:
    assert clamp(at, 10, 20) == expected


def test_time_does_not_go_back_though_our_own_clock_did() -> None:
    assert clamp(5, 10, 7) == 10


@pytest.mark.parametrize(
    ("copies", "verdict"),
    [
        ([(T.SUCCESS, Reason.NONE)], (JobStatus.SUCCESS, Reason.NONE)),
        ([(T.SUCCESS, Reason.NONE), (T.CANCELED, Reason.USER)], (JobStatus.CANCELED, Reason.USER)),
        ([(T.FAILED, Reason.TEST), (T.CANCELED, Reason.USER)], (JobStatus.FAILED, Reason.TEST)),
        (
            [(T.SUCCESS, Reason.NONE), (T.INFRASTRUCTURE_FAIL, Reason.AGENT_LOST)],
            (JobStatus.INFRASTRUCTURE_FAIL, Reason.AGENT_LOST),
        ),
    ],
)
def test_the_reason_is_that_of_the_copy_that_decides(
    copies: list[tuple[TaskStatus, Reason]], verdict: tuple[JobStatus, Reason]
) -> None:
    assert judge_copies(copies) == verdict
