import pytest

from penstock.cli.exit import Exit
from penstock.cli.remote.watching import find_status, list_changes
from penstock.engine.feed import JobChanged, PipelineChanged, WorkflowChanged
from penstock.model.picture import PipelinePicture
from tests.support.pictures import flow, job, picture


def tell(before: PipelinePicture | None, now: PipelinePicture) -> list[str]:
    """The changes in a word each."""
    return [
        f"{change.name} {change.status}"
        if isinstance(change, JobChanged | WorkflowChanged)
        else f"pipeline {change.status}"
        for change in list_changes(before, now)
        if isinstance(change, JobChanged | WorkflowChanged | PipelineChanged)
    ]


def test_at_first_everything_is_news() -> None:
    now = picture(flow("main", "running", job("build", "running"), job("test", "blocked", number=2)))
    assert tell(None, now) == ["main running", "build running", "test blocked", "pipeline created"]


def test_then_only_what_has_changed_is() -> None:
    before = picture(flow("main", "running", job("build", "running"), job("test", "blocked", number=2)))
    after = picture(flow("main", "running", job("build"), job("test", "queued", number=2)))
    assert tell(before, before) == []
    assert tell(before, after) == ["build success", "test queued"]
    told = picture(flow("main", "running", job("build", "running", message="waits for a disk")))
    assert tell(before, told) == ["build running"]


def test_a_rerun_is_a_workflow_of_its_own_and_the_old_one_is_no_news_any_more() -> None:
    old = flow("main", "failed", job("build", "failed"))
    new = flow("main", "running", job("build", "running", number=2))
    now = picture(flow("main", "failed", job("build", "failed"), repeated=True), new)
    assert tell(picture(old), now) == ["main running", "build running"]


@pytest.mark.parametrize(
    ("now", "status"),
    [
        (picture(ended=False), Exit.UNFINISHED),
        (picture(ended=True, outcome="success"), Exit.SUCCESS),
        (picture(ended=True, outcome=""), Exit.SUCCESS),
        (picture(ended=True, outcome="failed"), Exit.FAILED),
        (picture(ended=True, outcome="canceled"), Exit.FAILED),
        (picture(ended=True, outcome="unauthorized"), Exit.FAILED),
        (picture(ended=True, outcome="error", status="errored"), Exit.USAGE),
    ],
)
def test_the_exit_status_says_what_it_has_come_to(now: PipelinePicture, status: int) -> None:
    assert find_status(now) == status
