"""What an agent is given with a task."""

from pathlib import Path

import pytest

from penstock.engine.control import rerun_workflow
from penstock.engine.variables import GivenVariables
from penstock.model.run import Fork
from penstock.model.status import TaskStatus
from penstock.wire.messages import TestReport as ReportStored
from tests.support.compact import Compact
from tests.support.keys import known_key
from tests.support.lab import HandAgent, Lab
from tests.support.restricted import open_contexts


def test_later_contexts_win_over_earlier_ones_and_over_the_project(tmp_path: Path) -> None:
    contexts = {"first": {"B": "first", "C": "first"}, "second": {"C": "second"}}
    variables = GivenVariables(project={"A": "project", "B": "project"}, contexts=contexts)
    lab = Lab(f"sqlite:///{tmp_path}/penstock.db", tmp_path, variables=variables)
    open_contexts(lab, "first", "second", "unknown")
    lab.run({"a": {"contexts": ["first", "second", "unknown"]}, "b": None})
    a, b = lab.agent().claim(2)
    assert {name: a.environment[name] for name in "ABC"} == {"A": "project", "B": "first", "C": "second"}
    assert a.secrets == ("project", "first", "second")
    assert b.secrets == ("project",)
    assert "C" not in b.environment
    lab.close()


def test_built_in_variables_win_over_all(tmp_path: Path) -> None:
    lab = Lab(
        f"sqlite:///{tmp_path}/penstock.db", tmp_path, variables=GivenVariables(project={"CIRCLE_JOB": "x"})
    )
    pipeline = lab.run({"first": None, "a": {"needs": ["first"], "parallelism": 2}})
    agent = lab.agent()
    agent.work()
    _, second = agent.claim(2)
    assert second.environment["CIRCLE_JOB"] == "a"
    assert second.environment["CIRCLE_NODE_INDEX"] == "1"
    assert second.environment["CIRCLE_NODE_TOTAL"] == "2"
    assert second.environment["CIRCLE_BUILD_NUM"] == str(second.number) == "2"
    assert second.environment["CIRCLE_WORKFLOW_ID"] == lab.workflow(pipeline).uuid
    assert second.environment["CIRCLE_BRANCH"] == "main"
    lab.close()


def test_a_pull_request_of_a_fork_has_its_variables_and_no_secrets(tmp_path: Path) -> None:
    given = GivenVariables(project={"A": "project"}, contexts={"first": {"B": "first"}}, keys=(known_key(),))
    lab = Lab(f"sqlite:///{tmp_path}/penstock.db", tmp_path, variables=given)
    open_contexts(lab, "first")
    install: Compact = {"kind": "add_ssh_keys", "name": "keys"}
    plan: Compact = {"workflows": {"main": {"jobs": {"a": {"contexts": ["first"], "steps": [install]}}}}}
    pull = "https://example.com/acme/app/pull/7"
    lab.trigger(plan, pull_request=pull, fork=Fork(number=7, owner="eve", name="app2"))
    lab.trigger(plan, pull_request=pull)
    forked, own = lab.agent().claim(2)
    names = ["CIRCLE_PULL_REQUEST", "CI_PULL_REQUESTS", "CIRCLE_PR_NUMBER", "CIRCLE_PR_USERNAME"]
    names += ["CIRCLE_PR_REPONAME", "A", "B"]
    found = [[each.environment.get(name) for name in names] for each in (forked, own)]
    assert found == [
        [pull, pull, "7", "eve", "app2", None, None],
        [pull, pull, None, None, None, "project", "first"],
    ]
    assert (forked.secrets, forked.keys) == ((), ())
    assert own.keys == given.keys
    assert own.secrets[:2] == ("project", "first")
    lab.close()


def test_only_keys_that_steps_name_are_handed_out(tmp_path: Path) -> None:
    first, second = known_key(1), known_key(2)
    lab = Lab(f"sqlite:///{tmp_path}/penstock.db", tmp_path, variables=GivenVariables(keys=(first, second)))
    named: Compact = {"kind": "add_ssh_keys", "name": "k", "fingerprints": [second.sha256]}
    every: Compact = {"kind": "add_ssh_keys", "name": "k"}
    lab.run({"none": None, "one": {"steps": [named]}, "all": {"steps": [named, every]}})
    given = {each.plan.name: each.keys for each in lab.agent().claim(3)}
    assert given == {"none": (), "one": (second,), "all": (first, second)}
    lab.close()


def test_the_job_before_is_the_last_one_on_the_branch(lab: Lab) -> None:
    agent = lab.agent()
    seen = []
    for branch in ("main", "topic", "main", "main"):
        lab.trigger({"workflows": {"main": {"jobs": {"a": None}}}}, branch=branch)
        [assignment] = agent.claim()
        seen.append(assignment.environment.get("CIRCLE_PREVIOUS_BUILD_NUM"))
        agent.sync(agent.finished(assignment.task))
    assert seen == [None, None, "1", "3"]


def test_an_assignment_names_its_source_and_its_plan(lab: Lab) -> None:
    pipeline = lab.run({"a": {"steps": ["make"]}})
    [assignment] = lab.agent().claim()
    assert assignment.source is not None
    assert assignment.source.url == "https://example.com/app.git"
    assert assignment.source.revision == pipeline.revision
    assert [step.name for step in assignment.plan.steps] == ["make"]
    assert (assignment.attempt, assignment.index, assignment.total, assignment.lease) == (1, 0, 1, 30.0)
    assert (assignment.layers, assignment.timings) == ((), {})


SPLIT: Compact = {"steps": ["circleci tests split --split-by=timings"]}
NAMES: Compact = {"steps": ["circleci tests run --timings-type=autodetect"]}
COPIES: Compact = {"steps": ["make"], "parallelism": 2}
BY_FILE_AND_CLASS = {"filename": {"t.py": 2.5}, "classname": {"T": 2.5}}


def report(lab: Lab, agent: HandAgent, task: str, inner: str = "") -> None:
    """The task stores a report of one case and ends, failed if the case has something inside."""
    case = (
        f'<testsuite><testcase name="t" classname="T" file="t.py" time="2.5">{inner}</testcase></testsuite>'
    )
    blob = lab.gateway.upload(task, "test-report", [case.encode()])
    stored = ReportStored(
        task=task, sequence=agent.next(task), at=lab.clock.now(), source="r.xml", size=9, blob=blob
    )
    agent.sync(stored, agent.finished(task, TaskStatus.FAILED if inner else TaskStatus.SUCCESS))


@pytest.mark.parametrize(
    ("job", "timings"),
    [
        (SPLIT, BY_FILE_AND_CLASS),
        (NAMES, BY_FILE_AND_CLASS | {"testname": {"t": 2.5}}),
        (COPIES, BY_FILE_AND_CLASS),
        (None, {}),
    ],
)
def test_timings_are_given_to_jobs_that_may_split_by_them(
    lab: Lab, job: Compact | None, timings: dict[str, dict[str, float]]
) -> None:
    agent = lab.agent()
    lab.run({"a": None})
    [first] = agent.claim()
    assert first.timings == {}
    report(lab, agent, first.task)
    lab.clock.advance(1)
    lab.run({"a": job})
    assert next(iter(agent.claim(2))).timings == timings


@pytest.mark.parametrize("only_failed", [True, False])
def test_a_rerun_of_failed_tests_names_them_to_the_jobs_that_failed(lab: Lab, *, only_failed: bool) -> None:
    agent = lab.agent()
    pipeline = lab.run({"good": None, "bad": None})
    for assignment in agent.claim(2):
        report(lab, agent, assignment.task, "<failure/>" if assignment.plan.name == "bad" else "")
    rerun_workflow(lab.parts, lab.workflow(pipeline).uuid, from_failed=True, failed_tests=only_failed)
    [again] = agent.claim(2)
    assert again.plan.name == "bad"
    names = {"filename": ("t.py",), "classname": ("T",), "testname": ("t",)}
    assert again.failed == (names if only_failed else {})
