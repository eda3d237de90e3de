"""Somebody asks for less than the whole plan."""

import msgspec
import pytest

from penstock.model.errors import InvalidError
from penstock.model.status import JobKind, Outcome
from penstock.plan.plan import Plan
from penstock.plan.select import Selection, check_approvals, select_jobs, select_workflows
from penstock.plan.workflow import GroupPlan, JobPlan, Start, WorkflowPlan

PASSED = (Outcome.SUCCESS,)


def job(name: str, *needs: str, group: str | None = None) -> JobPlan:
    return JobPlan(name=name, needs=dict.fromkeys(needs, PASSED), group=group)


def plan(**workflows: list[JobPlan]) -> Plan:
    made = {
        name: WorkflowPlan(name=name, jobs={job.name: job for job in jobs})
        for name, jobs in workflows.items()
    }
    return Plan(language="test", workflows=made)


def test_a_job_comes_with_all_it_requires_and_nothing_else() -> None:
    whole = plan(w=[job("a"), job("b", "a"), job("c", "b"), job("d", "a")])
    narrowed = select_jobs(whole, ["c"])
    assert list(narrowed.workflows["w"].jobs) == ["a", "b", "c"]


def test_workflows_without_the_job_are_left_out() -> None:
    narrowed = select_jobs(plan(v=[job("x")], w=[job("a")]), ["a"])
    assert list(narrowed.workflows) == ["w"]


def test_a_job_in_a_group_brings_what_the_group_needs_but_not_its_siblings() -> None:
    workflow = WorkflowPlan(
        name="w",
        jobs={
            "one": job("one", group="first"),
            "two": job("two", group="first"),
            "three": job("three", group="second"),
            "four": job("four", group="second"),
        },
        groups={
            "first": GroupPlan(name="first"),
            "second": GroupPlan(name="second", needs={"first": PASSED}),
        },
    )
    narrowed = select_jobs(Plan(language="test", workflows={"w": workflow}), ["three"])
    assert list(narrowed.workflows["w"].jobs) == ["one", "two", "three"]
    assert list(narrowed.workflows["w"].groups) == ["first", "second"]


def test_a_named_workflow_starts_at_once_even_if_it_has_a_schedule() -> None:
    nightly = WorkflowPlan(name="nightly", jobs={"a": job("a")}, start=Start.SCHEDULE)
    whole = Plan(language="test", workflows={"nightly": nightly, **plan(w=[job("b")]).workflows})
    narrowed = select_workflows(whole, ["nightly"])
    assert [(key, flow.start) for key, flow in narrowed.workflows.items()] == [("nightly", Start.AT_ONCE)]


def test_naming_nothing_keeps_everything() -> None:
    whole = plan(w=[job("a")])
    assert select_jobs(select_workflows(whole, []), []) == whole


def test_an_unknown_name_is_refused_with_the_names_there_are() -> None:
    whole = plan(w=[job("a"), job("b")])
    with pytest.raises(InvalidError, match="no job named 'x'; there are a, b"):
        select_jobs(whole, ["x"])
    with pytest.raises(InvalidError, match="no workflow named 'x'; there is w"):
        select_workflows(whole, ["x"])


def test_a_name_that_no_approval_has_is_refused() -> None:
    hold = JobPlan(name="Hold it", kind=JobKind.APPROVAL)
    workflow = WorkflowPlan(name="w", jobs={"hold": hold, "a": job("a")})
    whole = Plan(language="test", workflows={"w": workflow})
    check_approvals(whole, ["hold", "Hold it", "all"])
    with pytest.raises(InvalidError, match="no approval named 'a'; there is hold"):
        check_approvals(whole, ["a"])


SETUP = msgspec.structs.replace(plan(choose=[job("pick"), job("tell", "pick")]), setup=True)
REST = plan(build=[job("make"), job("check", "make")], ship=[job("send")])


def jobs_of(narrowed: Plan) -> dict[str, list[str]]:
    return {key: list(workflow.jobs) for key, workflow in narrowed.workflows.items()}


@pytest.mark.parametrize(
    ("selection", "before", "after"),
    [
        (
            Selection(),
            {"choose": ["pick", "tell"]},
            {"build": ["make", "check"], "ship": ["send"]},
        ),
        (Selection(jobs=("make",)), {"choose": ["pick", "tell"]}, {"build": ["make"]}),
        (Selection(workflows=("ship",)), {"choose": ["pick", "tell"]}, {"ship": ["send"]}),
        (Selection(workflows=("choose",)), {"choose": ["pick", "tell"]}, {}),
        (Selection(jobs=("pick",)), {"choose": ["pick"]}, {}),
        (Selection(jobs=("pick", "send")), {"choose": ["pick"]}, {"ship": ["send"]}),
    ],
    ids=["everything", "job", "workflow", "setup", "setup job", "both"],
)
def test_a_selection_reaches_over_the_setup_to_what_follows(
    selection: Selection, before: dict[str, list[str]], after: dict[str, list[str]]
) -> None:
    setup = selection.narrow(SETUP)
    assert jobs_of(setup) == before
    assert jobs_of(selection.narrow_rest(setup, REST)) == after


@pytest.mark.parametrize(
    "selection", [Selection(jobs=("x",)), Selection(workflows=("x",)), Selection(approvals=("x",))]
)
def test_a_name_that_neither_plan_knows_is_refused_after_the_setup(selection: Selection) -> None:
    setup = selection.narrow(SETUP)
    with pytest.raises(InvalidError, match="named 'x'"):
        selection.narrow_rest(setup, REST)
    with pytest.raises(InvalidError, match="named 'x'"):
        selection.narrow(REST)


def test_approvals_of_either_plan_are_known() -> None:
    hold = msgspec.structs.replace(job("hold"), kind=JobKind.APPROVAL)
    setup = msgspec.structs.replace(plan(choose=[hold]), setup=True)
    for name in ("hold", "all"):
        selection = Selection(approvals=(name,))
        assert jobs_of(selection.narrow_rest(selection.narrow(setup), REST)) == jobs_of(REST)
        assert jobs_of(selection.narrow_rest(SETUP, plan(build=[hold]))) == {"build": ["hold"]}
