import pytest

from penstock.cli.remote.flows import pick_approval, pick_repeatable, pick_workflows
from penstock.model.errors import InvalidError, NotFoundError
from tests.support.pictures import flow, job, picture

HOLD = job("hold", "on_hold", number=None)
OTHER = job("other", "on_hold", number=None)


def test_without_a_name_the_only_approval_that_waits_is_meant() -> None:
    given = job("given", "success", number=None)
    _, found = pick_approval(picture(flow("main", "on_hold", given, HOLD)), "", "")
    assert found is HOLD


def test_of_several_approvals_one_must_be_named() -> None:
    several = picture(flow("a", "on_hold", HOLD, OTHER), flow("b", "on_hold", HOLD))
    assert pick_approval(several, "other", "")[1] is OTHER
    assert pick_approval(several, "hold", "b")[0].name == "b"
    for name in ("", "hold"):
        with pytest.raises(InvalidError, match="a/hold, a/other, b/hold"):
            pick_approval(several, name, "")


def test_an_approval_that_does_not_wait_is_said_to() -> None:
    with pytest.raises(NotFoundError, match=r"no approval waits in pipeline 7$"):
        pick_approval(picture(flow("main", "success", job("hold", number=None))), "", "")
    with pytest.raises(NotFoundError, match="no approval 'x' waits in pipeline 7; there are main/hold"):
        pick_approval(picture(flow("main", "on_hold", HOLD)), "x", "")


def test_the_only_workflow_or_the_only_failed_one_runs_again() -> None:
    good, bad, worse = flow("a", "success"), flow("b", "failed"), flow("c", "canceled")
    assert pick_repeatable(picture(good), "") is good
    assert pick_repeatable(picture(good, bad), "") is bad
    assert pick_repeatable(picture(good, bad, worse), "c") is worse
    with pytest.raises(InvalidError, match="--workflow: b, c"):
        pick_repeatable(picture(good, bad, worse), "")


def test_what_was_rerun_is_not_picked() -> None:
    old, new = flow("main", "failed", repeated=True), flow("main", "success")
    assert pick_workflows(picture(old, new), "main") == [new]
    with pytest.raises(NotFoundError, match="has no workflow 'x'; there are main"):
        pick_workflows(picture(old, new), "x")
