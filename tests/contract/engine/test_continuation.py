"""Setup workflows: keys, the one continuation there may be, and what becomes of bad ones."""

import hashlib
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
from sqlalchemy import text

from penstock.engine.continuation import (
    Continuation,
    ToCompile,
    answer_wish,
    continue_pipeline,
)
from penstock.engine.control import cancel_workflow, rerun_workflow
from penstock.engine.feed import PipelineChanged
from penstock.engine.gateway import Gateway
from penstock.kit.marks import Mark
from penstock.model.diagnostic import Diagnostic, Severity
from penstock.model.errors import InvalidError, LimitExceededError, NotFoundError, RefusedError
from penstock.model.run import Pipeline
from penstock.model.status import PipelineStatus, TaskStatus, WorkflowStatus
from penstock.plan.plan import Plan
from penstock.store import pipelines
from penstock.wire.messages import Assignment, Continue
from tests.support.compact import make_plan
from tests.support.lab import HandAgent, Lab

KEY = "CIRCLE_CONTINUATION_KEY"
SETUP = {"setup": True, "workflows": {"setup": {"jobs": {"choose": None}}}}
REST = {"language": "circleci", "workflows": {"build": {"jobs": {"make": None}}}}
FAULTY: dict[str, str] = {
    "conflict": "conflicting-parameters",
    "again": "setup-again",
    "unknown": "unexpected-argument",
}


def compile_plainly(wanted: ToCompile) -> Plan:
    """The rest; a config named like a fault has that fault, any other word that is no plan is bad."""
    if wanted.source == "rest":
        return make_plan(REST)
    if wanted.source == "empty":
        return Plan(language="circleci")
    code = FAULTY.get(wanted.source, "bad")
    finding = Diagnostic(
        severity=Severity.ERROR, code=code, message=f"it is {wanted.source}", mark=Mark("c.yml", 1, 1)
    )
    return Plan(language="circleci", diagnostics=(finding,))


def begin_setup(lab: Lab) -> tuple[Pipeline, HandAgent, Assignment]:
    """A setup pipeline whose one job has begun."""
    pipeline = lab.trigger(SETUP)
    assert pipeline.status is PipelineStatus.SETUP_PENDING
    agent = lab.agent()
    (assignment,) = agent.claim()
    return pipeline, agent, assignment


def go_on(lab: Lab, key: str, source: str = "rest", **more: object) -> Pipeline:
    wish = msgspec.convert({"key": key, "configuration": source, **more}, Continuation)
    return continue_pipeline(lab.parts, compile_plainly, wish)


def status_of(lab: Lab, pipeline: Pipeline) -> PipelineStatus:
    with lab.parts.db.read() as tx:
        found = pipelines.get_pipeline(tx, pipeline.id)
    assert found is not None
    return found.status


def test_a_task_of_the_setup_workflow_gets_a_key_that_is_stored_only_as_a_hash(lab: Lab) -> None:
    pipeline, _, assignment = begin_setup(lab)
    key = assignment.environment[KEY]
    assert assignment.continues
    assert key in assignment.secrets
    assert status_of(lab, pipeline) is PipelineStatus.SETUP
    assert lab.workflow(pipeline, "setup").tag == "setup"
    with lab.parts.db.read() as tx:
        rows = tx.execute(text("SELECT key_hash, used_at FROM continuations")).all()
    assert rows == [(hashlib.sha256(key.encode()).hexdigest(), None)]


def test_other_tasks_get_no_key(lab: Lab) -> None:
    lab.run({"a": None})
    (assignment,) = lab.agent().claim()
    assert KEY not in assignment.environment
    assert not assignment.continues


def test_a_continued_pipeline_runs_the_rest_under_its_own_number(lab: Lab) -> None:
    pipeline, agent, assignment = begin_setup(lab)
    continued = go_on(lab, assignment.environment[KEY])
    assert (continued.uuid, continued.number) == (pipeline.uuid, pipeline.number)
    assert status_of(lab, pipeline) is PipelineStatus.CREATED
    agent.end(assignment.task)
    assert lab.ends(pipeline) == []
    made = agent.work()
    assert KEY not in made.environment
    assert {each.key: each.status for each in lab.workflows(pipeline)} == {
        "setup": WorkflowStatus.SUCCESS,
        "build": WorkflowStatus.SUCCESS,
    }
    assert lab.ends(pipeline) == [WorkflowStatus.SUCCESS]
    told = [change.status for change in lab.changes if isinstance(change, PipelineChanged)]
    assert list(dict.fromkeys(told)) == [
        PipelineStatus.SETUP_PENDING,
        PipelineStatus.SETUP,
        PipelineStatus.CREATED,
    ]


def test_both_configs_are_kept(lab: Lab) -> None:
    pipeline, _, assignment = begin_setup(lab)
    go_on(lab, assignment.environment[KEY])
    with lab.parts.db.read() as tx:
        config = pipelines.load_config(tx, pipeline.id)
        setup = pipelines.load_config(tx, pipeline.id, name="setup")
    assert config is not None
    assert config.source == "rest"
    assert setup is not None
    assert setup.source == ""


def test_a_setup_that_does_not_continue_is_all_there_is_of_its_pipeline(lab: Lab) -> None:
    pipeline, agent, assignment = begin_setup(lab)
    agent.end(assignment.task)
    assert lab.ends(pipeline) == [WorkflowStatus.SUCCESS]
    assert status_of(lab, pipeline) is PipelineStatus.SETUP


def test_an_empty_continuation_ends_the_setup(lab: Lab) -> None:
    pipeline, agent, assignment = begin_setup(lab)
    go_on(lab, assignment.environment[KEY], "empty")
    assert status_of(lab, pipeline) is PipelineStatus.CREATED
    agent.end(assignment.task)
    assert lab.ends(pipeline) == [WorkflowStatus.SUCCESS]


def test_an_unknown_key_is_refused(lab: Lab) -> None:
    begin_setup(lab)
    with pytest.raises(NotFoundError, match="Invalid continuation key"):
        go_on(lab, "guessed")


def test_a_pipeline_is_continued_once(lab: Lab) -> None:
    pipeline, _, assignment = begin_setup(lab)
    go_on(lab, assignment.environment[KEY], request="one")
    for request in ("two", ""):
        with pytest.raises(RefusedError, match="already been continued"):
            go_on(lab, assignment.environment[KEY], request=request)
    assert len(lab.workflows(pipeline)) == 2


def test_keys_of_two_jobs_continue_a_pipeline_once(lab: Lab) -> None:
    lab.trigger({"setup": True, "workflows": {"setup": {"jobs": {"a": None, "b": None}}}})
    first, second = (each.environment[KEY] for each in lab.agent().claim(2))
    assert first != second
    go_on(lab, second, request="one")
    with pytest.raises(RefusedError, match="already been continued"):
        go_on(lab, first, request="one")


def test_the_same_request_twice_is_one(lab: Lab) -> None:
    pipeline, _, assignment = begin_setup(lab)
    first = go_on(lab, assignment.environment[KEY], request="one")
    assert go_on(lab, assignment.environment[KEY], request="one").status is first.status
    assert len(lab.workflows(pipeline)) == 2


def test_of_rivals_one_continues(lab: Lab) -> None:
    pipeline, _, assignment = begin_setup(lab)

    def attempt(number: int) -> bool:
        try:
            go_on(lab, assignment.environment[KEY], request=str(number))
        except RefusedError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(attempt, range(4))) == 1
    assert len(lab.workflows(pipeline)) == 2


def test_a_key_is_good_for_six_hours(lab: Lab) -> None:
    pipeline, _, assignment = begin_setup(lab)
    lab.clock.advance(6 * 3600 + 1)
    with pytest.raises(RefusedError, match="expired"):
        go_on(lab, assignment.environment[KEY])
    assert status_of(lab, pipeline) is PipelineStatus.SETUP


@pytest.mark.parametrize("source", FAULTY)
def test_what_is_wrong_with_a_request_leaves_the_key_good(lab: Lab, source: str) -> None:
    pipeline, _, assignment = begin_setup(lab)
    with pytest.raises(InvalidError, match=f"it is {source}"):
        go_on(lab, assignment.environment[KEY], source)
    assert status_of(lab, pipeline) is PipelineStatus.SETUP
    assert go_on(lab, assignment.environment[KEY]).status is PipelineStatus.CREATED


def test_errors_in_the_config_end_the_pipeline_errored(lab: Lab) -> None:
    pipeline, agent, assignment = begin_setup(lab)
    errored = go_on(lab, assignment.environment[KEY], "bad")
    assert [finding.message for finding in errored.errors] == ["it is bad"]
    assert status_of(lab, pipeline) is PipelineStatus.ERRORED
    with pytest.raises(RefusedError):
        go_on(lab, assignment.environment[KEY])
    agent.end(assignment.task)
    assert lab.ends(pipeline) == [WorkflowStatus.ERROR]


@pytest.mark.parametrize(
    ("source", "parameters"),
    [
        ("x" * (4 << 20) + "x", {}),
        ("rest", {f"p{number}": 1 for number in range(101)}),
        ("rest", {"p" * 129: 1}),
        ("rest", {"p": "v" * 513}),
    ],
    ids=["config", "count", "name", "value"],
)
def test_what_is_too_large_is_refused(lab: Lab, source: str, parameters: dict[str, object]) -> None:
    pipeline, _, assignment = begin_setup(lab)
    with pytest.raises(LimitExceededError):
        go_on(lab, assignment.environment[KEY], source, parameters=parameters)
    assert status_of(lab, pipeline) is PipelineStatus.SETUP


def test_a_canceled_setup_does_not_continue(lab: Lab) -> None:
    pipeline, agent, assignment = begin_setup(lab)
    cancel_workflow(lab.parts, lab.workflow(pipeline, "setup").uuid)
    with pytest.raises(RefusedError, match="canceled"):
        go_on(lab, assignment.environment[KEY])
    agent.end(assignment.task, TaskStatus.CANCELED)
    assert lab.ends(pipeline) == [WorkflowStatus.CANCELED]


def test_a_setup_that_has_continued_does_not_run_again(lab: Lab) -> None:
    pipeline, agent, assignment = begin_setup(lab)
    go_on(lab, assignment.environment[KEY])
    agent.end(assignment.task, TaskStatus.FAILED)
    for from_failed in (True, False):
        with pytest.raises(RefusedError, match="has continued its pipeline"):
            rerun_workflow(lab.parts, lab.workflow(pipeline, "setup").uuid, from_failed=from_failed)
    agent.work(TaskStatus.FAILED)
    again = rerun_workflow(lab.parts, lab.workflow(pipeline, "build").uuid)
    assert again.rerun_of == lab.workflows(pipeline)[1].uuid


def test_a_setup_that_has_not_continued_may_run_again_and_do_so(lab: Lab) -> None:
    pipeline, agent, assignment = begin_setup(lab)
    agent.end(assignment.task, TaskStatus.FAILED)
    rerun_workflow(lab.parts, lab.workflow(pipeline, "setup").uuid)
    (again,) = agent.claim()
    go_on(lab, again.environment[KEY])
    agent.end(again.task)
    agent.work()
    assert lab.ends(pipeline)[-1] is WorkflowStatus.SUCCESS


def test_a_setup_that_failed_after_it_continued_is_not_rerun_by_itself(lab: Lab) -> None:
    pipeline = lab.trigger(
        {"setup": True, "workflows": {"setup": {"jobs": {"choose": None}, "max_auto_reruns": 2}}}
    )
    agent = lab.agent()
    (assignment,) = agent.claim()
    go_on(lab, assignment.environment[KEY])
    agent.end(assignment.task, TaskStatus.FAILED)
    assert [each.key for each in lab.workflows(pipeline)] == ["setup", "build"]
    agent.work()


@pytest.fixture
def gateway(lab: Lab) -> Gateway:
    return Gateway(lab.parts, compiler=compile_plainly)


@pytest.mark.parametrize(
    ("source", "status", "message"),
    [
        ("rest", 200, "Accepted."),
        ("bad", 200, "Accepted. The configuration has errors:\nit is bad"),
        ("conflict", 400, "it is conflict"),
        ("x" * (4 << 20) + "x", 413, "The configuration is larger than 4 MiB."),
    ],
    ids=["good", "bad", "conflict", "large"],
)
def test_an_agent_is_answered_with_a_status(
    lab: Lab, gateway: Gateway, source: str, status: int, message: str
) -> None:
    _, _, assignment = begin_setup(lab)
    wish = Continue(request="r", key=assignment.environment[KEY], configuration=source)
    for _ in range(2):
        answer = gateway.continue_pipeline(assignment.task, wish)
        assert (answer.status, answer.message) == (status, message)


def test_a_server_that_cannot_compile_says_so(lab: Lab) -> None:
    _, _, assignment = begin_setup(lab)
    wish = Continue(request="r", key=assignment.environment[KEY], configuration="rest")
    assert lab.gateway.continue_pipeline(assignment.task, wish).status == 400
    unknown = Continue(request="r", key="guessed", configuration="rest")
    assert answer_wish(lab.parts, compile_plainly, unknown).status == 404
