import pytest

from penstock.lifecycle.admission import InLine, find_pushed_out, find_ready
from penstock.model.status import WorkflowStatus
from penstock.plan.workflow import QueueRule

W = WorkflowStatus


def line(*entries: tuple[WorkflowStatus, bool]) -> list[InLine]:
    """Workflows in a queue, oldest first; only those that are queued have not begun."""
    return [
        InLine(id=place, status=status, begun=status is not W.QUEUED, serialized=serialized)
        for place, (status, serialized) in enumerate(entries)
    ]


@pytest.mark.parametrize(
    ("entries", "ready"),
    [
        ([(W.QUEUED, True), (W.QUEUED, True)], (0,)),
        ([(W.RUNNING, True), (W.QUEUED, True)], ()),
        ([(W.SUCCESS, True), (W.CANCELED, True), (W.QUEUED, True), (W.QUEUED, True)], (2,)),
        ([(W.CANCELING, True), (W.QUEUED, True)], ()),
        ([(W.RUNNING, True), (W.QUEUED, False), (W.QUEUED, True)], (1,)),
        ([(W.RUNNING, False), (W.QUEUED, True)], ()),
        ([(W.ON_HOLD, True), (W.QUEUED, True)], ()),
    ],
)
def test_the_oldest_begins_when_nothing_older_lives(
    entries: list[tuple[WorkflowStatus, bool]], ready: tuple[int, ...]
) -> None:
    assert find_ready(line(*entries)) == ready


OLDER = line((W.SUCCESS, True), (W.RUNNING, True), (W.QUEUED, True))


@pytest.mark.parametrize(
    ("queued", "running", "out"),
    [(False, False, ()), (True, False, (2,)), (False, True, (1, 2)), (True, True, (1, 2))],
)
def test_a_newcomer_pushes_out_what_its_rule_says(
    *, queued: bool, running: bool, out: tuple[int, ...]
) -> None:
    rule = QueueRule(name="q", cancel_queued=queued, cancel_running=running)
    assert find_pushed_out(rule, OLDER) == out
